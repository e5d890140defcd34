//! Objects up and down through the S3 client of the stages, and a server to try it on: for the benchmarks
//! (docs/benchmarks.md). Endpoint and credentials come from the usual variables (`AWS_ENDPOINT_URL`, …).

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use futures::{StreamExt, TryStreamExt, stream};
use local_cloud::{LocalCloud, LocalCloudConfig};
use object_storage::{BlobStore, PutOptions, S3Settings, S3Store};
use types::S3Uri;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Serves a folder as a store with one bucket, `bench`, until standard input ends; prints the endpoint
    Serve { folder: PathBuf },
    /// Uploads every file of a folder; names like `anything-<SHA-256>.bin` tell digests, as stages know them
    Up(Transfer),
    /// Downloads every object below a prefix into a folder
    Down(Transfer),
}

#[derive(Debug, clap::Args)]
struct Transfer {
    folder: PathBuf,
    prefix: S3Uri,
    /// Objects at once
    #[arg(long, default_value_t = 8)]
    at_once: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Serve { folder } => serve(folder).await,
        What::Up(transfer) => up(transfer).await,
        What::Down(transfer) => down(transfer).await,
    }
}

async fn up(Transfer { folder, prefix, at_once }: Transfer) -> Result<()> {
    let store = S3Store::connect(&S3Settings::default()).await?;
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    let work = files.iter().map(|file| upload(&store, file, &prefix));
    stream::iter(work.collect::<Vec<_>>()).buffer_unordered(at_once).try_collect().await
}

async fn upload(store: &S3Store, file: &Path, prefix: &S3Uri) -> Result<()> {
    let name = file.file_name().and_then(|name| name.to_str()).context("a plain name")?;
    let sha256 = name.trim_end_matches(".bin").rsplit_once('-').and_then(|(_, digest)| digest.parse().ok());
    let options = PutOptions { sha256, ..PutOptions::default() };
    store.upload(file, &prefix.join(name), &options).await?;
    Ok(())
}

async fn serve(folder: PathBuf) -> Result<()> {
    let config = LocalCloudConfig { buckets: vec!["bench".to_owned()], ..LocalCloudConfig::new(&folder) };
    let cloud = LocalCloud::start(config).await?;
    writeln!(std::io::stdout(), "{}\n{}\n{}", cloud.endpoint(), cloud.access_key(), cloud.secret_key())?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    cloud.stop().await;
    Ok(())
}

async fn down(Transfer { folder, prefix, at_once }: Transfer) -> Result<()> {
    let store = S3Store::connect(&S3Settings::default()).await?;
    let mut objects = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(&prefix, after.as_deref(), 1000).await?;
        objects.extend(page.objects);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let work = objects.iter().map(|found| {
        let (store, folder) = (&store, &folder);
        async move {
            let name = found.object.uri.key().rsplit('/').next().unwrap_or_default();
            store.download(&found.object, &folder.join(name), u64::MAX).await?;
            Ok(())
        }
    });
    stream::iter(work.collect::<Vec<_>>()).buffer_unordered(at_once).try_collect().await
}
