//! The proxy before a server that checks signatures, with the client that we use.

use anyhow::ensure;
use local_cloud::{LocalCloud, LocalCloudConfig};
use object_storage::{BlobStore as _, Put, PutOptions, S3Settings, S3Store};
use types::S3Uri;

use crate::fault_proxy::{Fault, FaultProxy, Matcher, Rule};

#[tokio::test]
async fn signatures_hold_and_retries_heal_what_a_rule_broke() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let config =
        LocalCloudConfig { buckets: vec!["bucket".to_owned()], ..LocalCloudConfig::new(folder.path()) };
    let cloud = LocalCloud::start(config).await?;
    let proxy = FaultProxy::start(cloud.endpoint(), 1).await?;
    let settings = S3Settings::fixed(proxy.endpoint(), cloud.access_key(), cloud.secret_key());
    let store = S3Store::connect(&settings).await?;

    // Large enough for the client to ask for "100 Continue"; the signature covers the host, the checksum the body.
    let bytes = bytes::Bytes::from("0123456789abcdef".repeat(1 << 18));
    let to: S3Uri = "s3://bucket/folder/a file+ä.bin".parse()?;
    proxy.add(Rule::new(Matcher::any().method("PUT"), Fault::s3_error(503, "SlowDown")).times(1));
    let put = store.write(bytes.clone(), &to, &PutOptions::default()).await?;
    ensure!(matches!(put, Put::Written(_)), "{put:?}");
    ensure!(store.read(&to, 1 << 30).await? == bytes);

    let puts: Vec<_> =
        proxy.log().into_iter().filter(|one| one.method == "PUT").map(|one| one.status).collect();
    assert_eq!(puts, [Some(503), Some(200)]);
    Ok(())
}
