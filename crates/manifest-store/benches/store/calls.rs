//! The calls that services, planner, janitor and people make, and what each takes.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::ensure;
use manifest_store::{Catalogue, ClaimStatus, Claims, Direction, History, PostgresStore, Upkeep};
use types::{OriginalRecord, StageName};

use crate::load::Load;
use crate::{cpu, image};

/// The sizes of pages and batches are those of the programs that ask: pages of a listing and of a sweep, of planning.
const LISTED: usize = 1_000;
const PLANNED: u32 = 2_000;
const CLAIMED: usize = 64;

/// What some calls took together.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// Or objects, where each is counted.
    pub(crate) calls: usize,
    pub(crate) wall: Duration,
    /// CPU time of this process.
    pub(crate) client: Duration,
    /// CPU time of the database.
    pub(crate) server: Duration,
}

impl Measured {
    /// Calls a second.
    pub(crate) fn rate(&self) -> f64 {
        self.calls as f64 / self.wall.as_secs_f64()
    }
}

/// A store with images from 0 on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) store: &'a PostgresStore,
    pub(crate) images: usize,
    /// Each call is repeated until so much time has passed, three times at least.
    pub(crate) enough: Duration,
}

impl Subject<'_> {
    /// Every call.
    pub(crate) async fn measure(self) -> anyhow::Result<Vec<Measured>> {
        Ok(vec![
            self.repeat("statuses of 1,000 objects (listing)", |n| self.statuses(n)).await?,
            self.repeat("processed: one object", |n| self.processed(n)).await?,
            self.repeat("original, and variants of its image", |n| self.catalogued(n)).await?,
            self.repeat("lineage, up from a rendition", |n| self.lineage(n, Direction::Ancestors)).await?,
            self.repeat("lineage, down from an input", |n| self.lineage(n, Direction::Descendants)).await?,
            self.repeat("manifests: a page of 1,000", |n| self.manifests(n)).await?,
            self.repeat("originals: a page of 1,000", |n| self.originals(n)).await?,
            self.repeat("planning: a page of 2,000 samples", |n| self.samples(n)).await?,
            self.repeat("planning: progress of the dataset", |_| self.progress()).await?,
            self.repeat("dataset: its totals", |_| self.dataset()).await?,
            self.repeat("variant totals", |_| self.totals()).await?,
            self.repeat("quarantine: a page", |_| self.rejected()).await?,
            self.repeat("janitor: 1,000 objects that are named", |n| self.condemn(n)).await?,
            self.repeat("janitor: ended leases", |_| self.free_expired()).await?,
            self.repeat("64 settled objects are not granted", |n| self.not_granted(n)).await?,
        ])
    }

    /// At most so many images, from a random one on.
    fn run(self, n: usize, count: usize) -> impl Iterator<Item = OriginalRecord> {
        let first = self.any(n) % (self.images.saturating_sub(count) + 1);
        (first..self.images.min(first + count)).map(image::original)
    }

    /// One at random, the same in each run of the benchmark.
    fn one(self, n: usize) -> OriginalRecord {
        image::original(self.any(n))
    }

    /// Steps by a share of the golden ratio come everywhere.
    fn any(self, n: usize) -> usize {
        (((n + 1) as f64 * 0.618_033_988_749_895).fract() * self.images as f64) as usize
    }

    async fn statuses(self, n: usize) -> anyhow::Result<()> {
        let keys: Vec<_> = self.run(n, LISTED).map(|original| image::claim_key(&original)).collect();
        let statuses = self.store.statuses(&keys).await?;
        ensure!(statuses.iter().all(|status| matches!(status, ClaimStatus::Settled(_))));
        Ok(())
    }

    async fn processed(self, n: usize) -> anyhow::Result<()> {
        let found = self.store.processed(StageName::Normalize, &self.one(n).bronze_uri).await?;
        ensure!(found.len() == 1);
        Ok(())
    }

    async fn catalogued(self, n: usize) -> anyhow::Result<()> {
        let original = self.one(n);
        let found = self.store.original(&image::dataset(), &original.key).await?;
        ensure!(found.is_some_and(|found| found.sha256 == original.sha256));
        let variants = self.store.variants(&image::dataset(), &original.image_id, &image::policy()).await?;
        ensure!(variants.len() == 3);
        Ok(())
    }

    async fn lineage(self, n: usize, direction: Direction) -> anyhow::Result<()> {
        let original = self.one(n);
        let (from, expected) = match direction {
            Direction::Ancestors => (image::rendition(&original, 1), 2),
            Direction::Descendants => (original.source.uri, 4),
        };
        ensure!(self.store.lineage(&from, direction, 100).await?.len() == expected);
        Ok(())
    }

    async fn manifests(self, n: usize) -> anyhow::Result<()> {
        let after = 2 * i64::try_from(self.any(n).min(self.images.saturating_sub(LISTED)))?;
        let limit = u32::try_from(LISTED)?;
        let page = self.store.manifests(&image::dataset(), StageName::Normalize, Some(after), limit).await?;
        ensure!(
            page.len() >= self.images.min(LISTED)
                && page.iter().all(|found| found.manifest.entries.len() == 3)
        );
        Ok(())
    }

    async fn originals(self, n: usize) -> anyhow::Result<()> {
        let after = image::original(self.any(n).min(self.images.saturating_sub(LISTED + 1))).key;
        let page = self.store.originals(&image::dataset(), Some(&after), u32::try_from(LISTED)?).await?;
        ensure!(page.len() >= LISTED.min(self.images - 1));
        Ok(())
    }

    async fn samples(self, n: usize) -> anyhow::Result<()> {
        let after = self.one(n).image_id;
        let page =
            self.store.ready_samples(&image::dataset(), &image::policy(), Some(&after), PLANNED).await?;
        ensure!(page.iter().all(|sample| sample.variants.len() == 3));
        Ok(())
    }

    async fn progress(self) -> anyhow::Result<()> {
        let progress = self.store.progress(&image::dataset(), &image::policy()).await?;
        ensure!(progress.originals >= self.images as u64 && progress.pending == 0);
        Ok(())
    }

    async fn dataset(self) -> anyhow::Result<()> {
        ensure!(self.store.dataset(&image::dataset()).await?.images >= self.images as u64);
        Ok(())
    }

    async fn totals(self) -> anyhow::Result<()> {
        ensure!(self.store.variant_totals(&image::dataset(), &image::policy()).await?.len() == 3);
        Ok(())
    }

    async fn rejected(self) -> anyhow::Result<()> {
        ensure!(self.store.rejected(&image::dataset(), None, u32::try_from(LISTED)?).await?.is_empty());
        Ok(())
    }

    async fn condemn(self, n: usize) -> anyhow::Result<()> {
        let outputs: Vec<_> = self.run(n, LISTED).map(|original| image::rendition(&original, 2)).collect();
        ensure!(self.store.condemn(&outputs).await?.iter().all(|condemned| !condemned));
        Ok(())
    }

    async fn free_expired(self) -> anyhow::Result<()> {
        ensure!(self.store.free_expired(StageName::Normalize, Duration::ZERO).await? == 0);
        Ok(())
    }

    async fn not_granted(self, n: usize) -> anyhow::Result<()> {
        let keys: Vec<_> = self.run(n, CLAIMED).map(|original| image::claim_key(&original)).collect();
        let outcomes = self.store.claim(&keys, "bench", Duration::from_secs(60)).await?;
        ensure!(outcomes.iter().all(|outcome| matches!(outcome, manifest_store::ClaimOutcome::Settled(_))));
        Ok(())
    }

    async fn repeat<F: Future<Output = anyhow::Result<()>>>(
        self,
        name: &'static str,
        call: impl Fn(usize) -> F,
    ) -> anyhow::Result<Measured> {
        // The first one reads what no call has read before.
        call(0).await?;
        let mut calls = 0;
        let begun = Instant::now();
        let mut measured = timed(name, async || {
            while calls < 3 || begun.elapsed() < self.enough {
                calls += 1;
                call(calls).await?;
            }
            Ok(())
        })
        .await?;
        measured.calls = calls;
        Ok(measured)
    }
}

/// Claims and publishes new objects; each is counted.
pub(crate) async fn publish(store: &PostgresStore, load: Load) -> anyhow::Result<Measured> {
    let mut measured =
        timed("claimed and published, each in batches of 64", async || load.run(store).await).await?;
    measured.calls = load.objects;
    Ok(measured)
}

async fn timed(
    name: &'static str,
    work: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Measured> {
    let (begun, client, server) = (Instant::now(), cpu::own()?, cpu::postgres());
    work().await?;
    let (client, server) = (cpu::own()?.saturating_sub(client), cpu::postgres().saturating_sub(server));
    Ok(Measured { name, calls: 1, wall: begun.elapsed(), client, server })
}
