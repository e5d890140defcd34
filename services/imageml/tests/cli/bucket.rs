//! Images in a bucket of another S3 server.

use std::fs;
use std::process::Command;

use local_cloud::{LocalCloud, LocalCloudConfig, Mount};

use crate::bench::{Bench, Running, SIZES, contents};
use crate::pictures;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_and_a_folder_with_the_same_content_give_the_same_bytes() -> anyhow::Result<()> {
    let from_folder = Bench::with_pictures(5)?;
    pictures::png(&from_folder.input().join("below/a b+c%2F.png"), 50, 90, 160)?;
    fs::write(from_folder.input().join("notes.txt"), "not a picture")?;
    let expected = from_folder.run(&[])?;

    let from_bucket = Bench::new()?;
    let cloud = serve(&from_folder, from_bucket.path("cloud")).await?;
    let ran = Running::start(run(&from_bucket, &cloud, "s3://photos/input"))?.wait()?;
    assert_eq!(ran.code, Some(0), "{ran}");
    let document = ran.document()?;
    assert_eq!(document["images"], expected["images"]);
    assert_eq!(document["rejected"], expected["rejected"]);
    let gold = |bench: &Bench| contents(&bench.object("gold", "d/v1"));
    assert!(gold(&from_bucket)? == gold(&from_folder)?, "the versions differ");

    let again = Running::start(run(&from_bucket, &cloud, "s3://photos/input/"))?.wait()?.document()?;
    assert_eq!(again["version"], 1);
    cloud.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_bucket_is_a_failure_that_names_it() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let cloud = serve(&bench, bench.path("cloud")).await?;
    let ran = Running::start(run(&bench, &cloud, "s3://nothing-here/input"))?.wait()?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("error: ingest cannot read s3://nothing-here/input"), "{ran}");
    assert!(!ran.stderr.contains("trying again"), "{ran}");
    cloud.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_are_a_failure_that_says_so() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let cloud = serve(&bench, bench.path("cloud")).await?;
    let mut command = run(&bench, &cloud, "s3://photos/input");
    command.env("AWS_SECRET_ACCESS_KEY", "something else");
    let ran = Running::start(command)?.wait()?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("error: ingest cannot read s3://photos/input"), "{ran}");
    assert!(ran.stderr.contains("SignatureDoesNotMatch"), "{ran}");
    cloud.stop().await;
    Ok(())
}

/// The bench's folder as bucket `photos`; the pictures are below `input/`.
async fn serve(bench: &Bench, root: std::path::PathBuf) -> anyhow::Result<LocalCloud> {
    let folder = bench.input();
    let folder = folder.parent().unwrap_or(&folder).to_owned();
    let mounts = vec![Mount { bucket: "photos".to_owned(), folder }];
    Ok(LocalCloud::start(LocalCloudConfig { mounts, ..LocalCloudConfig::new(root) }).await?)
}

fn run(bench: &Bench, cloud: &LocalCloud, input: &str) -> Command {
    let mut command = bench.command(&["run", "--dataset", "d", "--json", "--sizes", SIZES, "--input", input]);
    command
        .env("AWS_ENDPOINT_URL", cloud.endpoint())
        .env("AWS_ACCESS_KEY_ID", cloud.access_key())
        .env("AWS_SECRET_ACCESS_KEY", cloud.secret_key())
        .env("AWS_REGION", "us-east-1");
    command
}
