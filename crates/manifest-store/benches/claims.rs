//! How many objects a second can be claimed and published on PostgreSQL, by size of batch and number of workers.
//!
//! `cargo bench -p manifest-store --bench claims [-- OPTION…]`
//!
//! - `objects=N`: objects for each line of a table (20,000; a tenth of that in batches of one);
//! - `without-output-indexes`: drops the indexes that the janitor asks, to see what they cost.
//!
//! There are two tables: on a server that syncs every commit, with the defaults of PostgreSQL, and on the throwaway one
//! of the tests, **which does not sync to disk** and so shows the cost of the statements alone. With
//! `TEST_DATABASE_URL` there is one, on that server. The settings that matter are printed. The client and the server
//! share this machine.
//!
//! Without `--bench` (as `cargo test --benches` runs it) a few objects show that it works.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use manifest_store::{ClaimKey, ClaimOutcome, Claims, Effect, PostgresStore, Publication};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testkit::{PostgresServer, TestDatabase};
use types::{
    Affine, DatasetName, ImageId, LineageEdge, ManifestEntry, ObjectVersion, Orientation, OriginalRecord,
    PolicyHash, Relation, S3Uri, Sha256, StageManifest, StageName, VariantRecord,
};

const VARIANTS: [&str; 3] = ["1080p", "720p", "800x600:crop"];
const LEASE: Duration = Duration::from_secs(600);

/// One line of the table.
#[derive(Debug, Clone, Copy)]
struct Load {
    objects: usize,
    batch: usize,
    workers: usize,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = arguments.iter().find_map(|argument| argument.strip_prefix("objects="));
    let objects: usize = given.map_or(Ok(20_000), str::parse).context("objects=N")?;
    let without_indexes = arguments.iter().any(|argument| argument == "without-output-indexes");
    if !arguments.iter().any(|argument| argument == "--bench") {
        let database = Server::OfTests.database().await?;
        return run(Load { objects: 100, batch: 64, workers: 2 }, &database.url, without_indexes)
            .await
            .map(drop);
    }
    let cores = std::thread::available_parallelism()?;
    writeln!(std::io::stdout(), "Claims and publications, {cores} cores for client and server")?;
    if std::env::var_os("TEST_DATABASE_URL").is_none_or(|url| url.is_empty()) {
        table(&Server::Durable(PostgresServer::start().await?), objects, without_indexes).await?;
    }
    table(&Server::OfTests, objects, without_indexes).await
}

async fn table(server: &Server, objects: usize, without_indexes: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "\n{}", settings(&server.database().await?.url).await?)?;
    writeln!(
        out,
        "{:>6} {:>8} {:>8} {:>10} {:>28}",
        "batch", "workers", "objects", "objects/s", "client's CPU, ms per object"
    )?;
    for batch in [1, 10, 64] {
        for workers in [1, 2, 4] {
            let objects = if batch == 1 { objects.div_ceil(10) } else { objects };
            let database = server.database().await?;
            let (took, busy) = run(Load { objects, batch, workers }, &database.url, without_indexes).await?;
            let rate = objects as f64 / took.as_secs_f64();
            let each = busy.as_secs_f64() * 1000.0 / objects as f64;
            writeln!(out, "{batch:>6} {workers:>8} {objects:>8} {rate:>10.0} {each:>28.3}")?;
        }
    }
    Ok(())
}

/// What is measured.
enum Server {
    /// With PostgreSQL's own settings.
    Durable(PostgresServer),
    /// That of the tests, or of `TEST_DATABASE_URL`.
    OfTests,
}

/// An empty one.
struct Database {
    url: String,
    _of_tests: Option<TestDatabase>,
}

impl Server {
    async fn database(&self) -> anyhow::Result<Database> {
        match self {
            Self::OfTests => {
                let database = testkit::database().await?;
                Ok(Database { url: database.url.clone(), _of_tests: Some(database) })
            }
            Self::Durable(server) => {
                static MADE: AtomicUsize = AtomicUsize::new(0);
                let name = format!("bench_{}", MADE.fetch_add(1, Ordering::Relaxed));
                let url = server.url(&server.address());
                let mut connection = PgConnection::connect(&url).await?;
                let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
                sqlx::query(create).execute(&mut connection).await?;
                let (server, _) = url.rsplit_once('/').context("a URL with a database")?;
                Ok(Database { url: format!("{server}/{name}"), _of_tests: None })
            }
        }
    }
}

/// What decides how much a commit costs.
async fn settings(database: &str) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(database).await?;
    let names = ["server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers"];
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, setting || COALESCE(' × ' || unit, '') FROM pg_settings WHERE name = ANY ($1)
         ORDER BY array_position($1, name)",
    )
    .bind(names.as_slice())
    .fetch_all(&mut connection)
    .await?;
    let settings: Vec<String> = rows.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
    Ok(format!("PostgreSQL: {}", settings.join(", ")))
}

/// Claims and publishes everything in a fresh database; how long it took, and our own CPU time in it.
async fn run(load: Load, database: &str, without_indexes: bool) -> anyhow::Result<(Duration, Duration)> {
    let store = PostgresStore::connect(database, 8).await?;
    if without_indexes {
        let mut connection = PgConnection::connect(database).await?;
        sqlx::query("DROP INDEX manifest_entries_output, manifests_uri").execute(&mut connection).await?;
    }
    let next = Arc::new(AtomicUsize::new(0));
    let busy_before = cpu_time()?;
    let begun = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..load.workers {
        let (store, next) = (store.clone(), Arc::clone(&next));
        workers.spawn(async move {
            loop {
                let first = next.fetch_add(load.batch, Ordering::Relaxed);
                if first >= load.objects {
                    return anyhow::Ok(());
                }
                let numbers: Vec<usize> = (first..load.objects.min(first + load.batch)).collect();
                claim_and_publish(&store, &numbers).await?;
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let took = begun.elapsed();
    let busy = cpu_time()?.saturating_sub(busy_before);
    let mut connection = PgConnection::connect(database).await?;
    let done: i64 = sqlx::query_scalar("SELECT count(*) FROM claims WHERE state = 'done'")
        .fetch_one(&mut connection)
        .await?;
    ensure!(usize::try_from(done)? == load.objects, "{done} of {} are done", load.objects);
    Ok((took, busy))
}

async fn claim_and_publish(store: &PostgresStore, numbers: &[usize]) -> anyhow::Result<()> {
    let dataset: DatasetName = "bench".parse()?;
    let originals = numbers.iter().map(|n| original(*n)).collect::<anyhow::Result<Vec<_>>>()?;
    let key = |record: &OriginalRecord| ClaimKey {
        stage: StageName::Normalize,
        dataset: dataset.clone(),
        object: ObjectVersion { uri: record.bronze_uri.clone(), version: record.source.version.clone() },
        policy: PolicyHash::of("bench"),
    };
    let keys: Vec<ClaimKey> = originals.iter().map(key).collect();
    let mut publications = Vec::with_capacity(keys.len());
    for (outcome, record) in store.claim(&keys, "bench", LEASE).await?.into_iter().zip(originals) {
        let ClaimOutcome::Owned(claim) = outcome else { bail!("not granted: {outcome:?}") };
        publications.push(publication(claim, record)?);
    }
    for answer in store.publish_all(&publications).await? {
        answer?;
    }
    Ok(())
}

fn original(n: usize) -> anyhow::Result<OriginalRecord> {
    let sha256 = Sha256::of(format!("content {n}"));
    let key = format!("photos/2024/{:02}/IMG_{n:08}.jpg", n % 12 + 1);
    let inbox: S3Uri = "s3://inbox/bench".parse()?;
    let bronze: S3Uri = "s3://bronze/images".parse()?;
    Ok(OriginalRecord {
        source: ObjectVersion { uri: inbox.join(&key), version: sha256.to_hex() },
        bronze_uri: bronze.join(&key),
        key,
        image_id: ImageId::of(&sha256),
        sha256,
        bytes: 3_500_000,
        format: "jpeg".to_owned(),
        width: 4000,
        height: 3000,
        orientation: Orientation::Rotate90,
        pixel_hash: Sha256::of(format!("pixels {n}")),
        perceptual_hash: n as u64,
        exif: json!({ "Make": "Canon", "Model": "EOS 80D", "ExposureTime": 0.004, "FNumber": 5.6, "ISO": 400 }),
        animated: false,
    })
}

fn variant(original: &OriginalRecord, name: &str) -> anyhow::Result<VariantRecord> {
    let silver: S3Uri = "s3://silver/normalized".parse()?;
    Ok(VariantRecord {
        image_id: original.image_id,
        source_uri: original.bronze_uri.clone(),
        variant_name: name.to_owned(),
        output_uri: silver.join(&format!("{name}/{}.jpg", original.image_id)),
        width: 1280,
        height: 720,
        normalization_policy_hash: PolicyHash::of("bench"),
        bytes: 250_000,
        sha256: Sha256::of(format!("{name} {}", original.image_id)),
        affine: Affine([0.32, 0.0, 0.0, 0.0, 0.24, 0.0]),
    })
}

/// Three entries, three edges, an original and three variants.
fn publication(claim: manifest_store::Claim, record: OriginalRecord) -> anyhow::Result<Publication> {
    let variants = VARIANTS.iter().map(|name| variant(&record, name)).collect::<anyhow::Result<Vec<_>>>()?;
    let fields =
        json!({ "variant_name": "720p", "width": 1280, "height": 720, "affine": [0.32, 0, 0, 0, 0.24, 0] });
    let entry = |variant: &VariantRecord| ManifestEntry {
        source_uri: variant.source_uri.clone(),
        output_uri: variant.output_uri.clone(),
        bytes: variant.bytes,
        sha256: variant.sha256,
        fields: fields.as_object().cloned().unwrap_or_default(),
    };
    let edge = |variant: &VariantRecord| LineageEdge {
        parent: variant.source_uri.clone(),
        child: variant.output_uri.clone(),
        relation: Relation::Rendered,
    };
    let manifests: S3Uri = "s3://silver/manifests/bench".parse()?;
    Ok(Publication {
        manifest: StageManifest {
            dataset: claim.key.dataset.clone(),
            stage: claim.key.stage,
            policy_hash: claim.key.policy,
            source: claim.key.object.clone(),
            metadata: json!({ "encoder": "jpeg 92", "colour": "sRGB" }),
            entries: variants.iter().map(entry).collect(),
        },
        manifest_uri: manifests.join(&format!("{}.json", record.image_id)),
        lineage: variants.iter().map(edge).collect(),
        effects: vec![Effect::Original(record), Effect::Variants(variants)],
        claim,
    })
}

/// User and system time of this process so far: fields 14 and 15 of proc(5), in hundredths of a second.
fn cpu_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program, field 2, is in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("proc(5)")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).context("proc(5)")?.parse::<u64>().context("proc(5)");
    Ok(Duration::from_millis((ticks(14)? + ticks(15)?) * 10))
}
