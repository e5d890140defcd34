//! One sweep.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use futures::future::join_all;
use manifest_store::{Leadership, VersionState};
use object_storage::{BlobStore, ObjectSummary, StorageError};
use tokio_util::sync::CancellationToken;
use types::layout::{OutputKey, is_output};
use types::{DatasetName, S3Uri, VersionNumber};

use crate::journal::{Candidate, Journal};
use crate::{Janitor, JanitorError};

/// Objects listed, and condemned, at once.
const PAGE: u16 = 1_000;

/// Deletions under way at once; between two such groups the leadership is looked at.
const PARALLEL: usize = 8;

/// How long a deletion may take, its repetitions included.
const DELETION_LIMIT: Duration = Duration::from_secs(10);

/// What a sweep collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Objects that no manifest named.
    pub orphans: u64,
    /// Their sizes together.
    pub orphan_bytes: u64,
    /// Claims of dead processes.
    pub claims: u64,
    /// Uploads by parts that nobody completed.
    pub uploads: u64,
}

/// What decides about a dataset's objects beside their age.
#[derive(Debug, Default)]
struct Known {
    /// When the store's first manifest of this stage was written; `None` when there is none.
    since: Option<SystemTime>,
    /// Versions that were overtaken before they were published. They stay so for good.
    abandoned: HashSet<VersionNumber>,
}

/// A sweep under way.
pub(crate) struct Sweep<'a> {
    janitor: &'a Janitor,
    leadership: &'a mut dyn Leadership,
    stop: &'a CancellationToken,
    begun: SystemTime,
    datasets: HashMap<DatasetName, Known>,
    swept: Swept,
}

impl<'a> Sweep<'a> {
    pub(crate) fn new(
        janitor: &'a Janitor,
        leadership: &'a mut dyn Leadership,
        stop: &'a CancellationToken,
        begun: SystemTime,
    ) -> Self {
        Self { janitor, leadership, stop, begun, datasets: HashMap::new(), swept: Swept::default() }
    }

    /// Collects everything; what cannot be done keeps nothing else from being done.
    pub(crate) async fn run(mut self) -> Result<Swept, JanitorError> {
        let claims = self.free_claims().await;
        let uploads = self.abort_uploads().await;
        let objects = self.delete_orphans().await;
        claims.and(uploads).and(objects)?;
        Ok(self.swept)
    }

    async fn free_claims(&mut self) -> Result<(), JanitorError> {
        self.go_on().await?;
        let settings = &self.janitor.settings;
        let freed = self.janitor.store.free_expired(settings.stage, settings.grace).await?;
        self.swept.claims += freed;
        self.janitor.metrics.claims.inc_by(freed);
        Ok(())
    }

    async fn abort_uploads(&mut self) -> Result<(), JanitorError> {
        let (settings, blobs) = (&self.janitor.settings, &self.janitor.blobs);
        let (prefix, mut page) = (settings.prefix.as_folder(), None::<String>);
        loop {
            self.go_on().await?;
            let listed = blobs.open_uploads(&prefix, page.as_deref()).await?;
            for upload in listed.uploads {
                if self.is_old(upload.begun) && is_output(settings.stage, &settings.prefix, &upload.uri) {
                    self.lead_on().await?;
                    blobs.abort_upload(&upload).await?;
                    self.swept.uploads += 1;
                    self.janitor.metrics.uploads.inc();
                }
            }
            match listed.next {
                Some(next) => page = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn delete_orphans(&mut self) -> Result<(), JanitorError> {
        self.finish_last_sweep().await?;
        let (settings, blobs) = (&self.janitor.settings, &self.janitor.blobs);
        let journal = Journal::new(settings, blobs.as_ref());
        let (prefix, mut page, mut noted) = (settings.prefix.as_folder(), None::<String>, false);
        loop {
            self.go_on().await?;
            let listed = blobs.list(&prefix, page.as_deref(), PAGE).await?;
            let mut candidates = Vec::new();
            for found in listed.objects {
                if self.may_go(&found).await? {
                    candidates.push(Candidate { uri: found.object.uri, bytes: found.bytes });
                }
            }
            if !candidates.is_empty() {
                self.lead_on().await?;
                journal.write(&candidates).await?;
                noted = true;
                self.collect(&candidates).await?;
            }
            match listed.next {
                Some(next) => page = Some(next),
                None if noted => return Ok(journal.clear().await?),
                None => return Ok(()),
            }
        }
    }

    /// What was noted and not finished, whatever its age: it may be condemned, and somebody may wait to publish it.
    async fn finish_last_sweep(&mut self) -> Result<(), JanitorError> {
        self.go_on().await?;
        let settings = &self.janitor.settings;
        let journal = Journal::new(settings, self.janitor.blobs.as_ref());
        let mut noted = journal.read().await?;
        if noted.is_empty() {
            return Ok(());
        }
        noted.retain(|candidate| is_output(settings.stage, &settings.prefix, &candidate.uri));
        self.collect(&noted).await?;
        Ok(journal.clear().await?)
    }

    /// Whether the object may be deleted, should no manifest name it.
    async fn may_go(&mut self, found: &ObjectSummary) -> Result<bool, JanitorError> {
        let Some(modified) = found.modified.filter(|modified| self.is_old(*modified)) else {
            return Ok(false);
        };
        let settings = &self.janitor.settings;
        let Some(key) = OutputKey::of(settings.stage, &settings.prefix, &found.object.uri) else {
            return Ok(false);
        };
        let known = self.known(key.dataset()).await?;
        let ours = known.since.is_some_and(|since| since <= modified);
        let free = key.version().is_none_or(|version| known.abandoned.contains(&version));
        Ok(ours && free)
    }

    async fn known(&mut self, dataset: &DatasetName) -> Result<&Known, JanitorError> {
        if !self.datasets.contains_key(dataset) {
            let known = look_up(self.janitor, dataset).await?;
            self.datasets.insert(dataset.clone(), known);
        }
        Ok(self.datasets.get(dataset).expect("it was inserted"))
    }

    /// Condemns those that no manifest names, deletes and buries them.
    ///
    /// Only a deletion with an unknown end leaves its object condemned, since it may still happen. What was refused, and
    /// what was not begun, is released by its burial: nobody is deleting it.
    async fn collect(&mut self, candidates: &[Candidate]) -> Result<(), JanitorError> {
        let janitor = self.janitor;
        self.lead_on().await?;
        let uris: Vec<_> = candidates.iter().map(|candidate| candidate.uri.clone()).collect();
        let condemned = janitor.store.condemn(&uris).await?;
        let condemned = candidates.iter().zip(condemned).filter(|(_, condemned)| *condemned);
        let condemned: Vec<_> = condemned.map(|(candidate, _)| candidate).collect();
        let (mut open, mut failed) = (HashSet::new(), None);
        for group in condemned.chunks(PARALLEL) {
            self.lead_on().await?;
            if self.stop.is_cancelled() {
                failed = Some(JanitorError::Stopped);
                break;
            }
            let deletions = group.iter().map(|candidate| delete(janitor.blobs.as_ref(), &candidate.uri));
            for (candidate, deleted) in group.iter().zip(join_all(deletions).await) {
                match deleted {
                    Ok(()) => self.count(candidate),
                    Err(error) => {
                        if !is_refusal(&error) {
                            open.insert(&candidate.uri);
                        }
                        failed = Some(error.into());
                    }
                }
            }
            if failed.is_some() {
                break;
            }
        }
        let buried = condemned.iter().map(|candidate| &candidate.uri).filter(|uri| !open.contains(uri));
        let buried: Vec<_> = buried.cloned().collect();
        if !buried.is_empty() {
            janitor.store.bury(&buried).await?;
        }
        failed.map_or(Ok(()), Err)
    }

    fn count(&mut self, deleted: &Candidate) {
        self.swept.orphans += 1;
        self.swept.orphan_bytes += deleted.bytes;
        self.janitor.metrics.orphans.inc();
    }

    fn is_old(&self, time: SystemTime) -> bool {
        time.checked_add(self.janitor.settings.grace).is_some_and(|end| end <= self.begun)
    }

    /// Before each page.
    async fn go_on(&mut self) -> Result<(), JanitorError> {
        if self.stop.is_cancelled() {
            return Err(JanitorError::Stopped);
        }
        self.lead_on().await
    }

    /// Before everything that only a leader may do.
    async fn lead_on(&mut self) -> Result<(), JanitorError> {
        if self.leadership.holds().await { Ok(()) } else { Err(JanitorError::LeadershipLost) }
    }
}

async fn look_up(janitor: &Janitor, dataset: &DatasetName) -> Result<Known, JanitorError> {
    let Janitor { settings, store, blobs, .. } = janitor;
    let first = store.manifests(dataset, settings.stage, None, 1).await?.into_iter().next();
    let Some(first) = first else { return Ok(Known::default()) };
    let since = match blobs.head(&first.uri).await {
        Ok(found) => found.modified,
        Err(StorageError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let versions = store.versions(dataset).await?.into_iter();
    let abandoned = versions.filter(|version| version.state == VersionState::Abandoned);
    Ok(Known { since, abandoned: abandoned.map(|version| version.version).collect() })
}

async fn delete(blobs: &dyn BlobStore, uri: &S3Uri) -> Result<(), StorageError> {
    let late = |_| StorageError::Unavailable(format!("deleting {uri} took longer than {DELETION_LIMIT:?}"));
    tokio::time::timeout(DELETION_LIMIT, blobs.delete(uri)).await.map_err(late)?
}

/// The server has answered that it does not delete the object.
fn is_refusal(error: &StorageError) -> bool {
    matches!(error, StorageError::Denied { .. } | StorageError::Invalid { .. } | StorageError::NotFound(_))
}
