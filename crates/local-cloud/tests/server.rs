//! The running server, over the wire. What an object store must do is in object-storage's conformance suite.

use std::fs;

use anyhow::Context as _;
use local_cloud::{LocalCloud, LocalCloudConfig, LocalCloudError, Mount};
use object_storage::{BlobStore as _, Put, PutOptions, S3Credentials, S3Settings, S3Store, StorageError};
use types::S3Uri;

async fn connect(cloud: &LocalCloud) -> anyhow::Result<S3Store> {
    let settings = S3Settings {
        endpoint: Some(cloud.endpoint().to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials: S3Credentials::Static {
            access_key: cloud.access_key().to_owned(),
            secret_key: cloud.secret_key().to_owned(),
        },
        path_style: None,
    };
    Ok(S3Store::connect(&settings).await?)
}

#[tokio::test]
async fn mounted_folder_can_be_read_and_not_written() -> anyhow::Result<()> {
    let (root, photos) = (tempfile::tempdir()?, tempfile::tempdir()?);
    fs::write(photos.path().join("a photo.jpg"), "pixels")?;
    let mounts = vec![Mount { bucket: "photos".into(), folder: photos.path().to_owned() }];
    let cloud = LocalCloud::start(LocalCloudConfig { mounts, ..LocalCloudConfig::new(root.path()) }).await?;
    let store = connect(&cloud).await?;
    let uri: S3Uri = "s3://photos/a photo.jpg".parse()?;

    let listed = store.list(&"s3://photos/".parse()?, None, 10).await?.objects;
    let photo = listed.first().context("one object")?;
    assert_eq!(photo.object.uri, uri);
    let to = root.path().join("copy");
    assert_eq!(store.download(&photo.object, &to, 100).await?.bytes, 6);
    assert_eq!(cloud.path_of("photos", uri.key()), Some(photos.path().canonicalize()?.join("a photo.jpg")));

    let put = store.write("x".into(), &uri, &PutOptions::default()).await;
    assert!(matches!(put, Err(StorageError::Denied { .. })), "{put:?}");
    let deleted = store.delete(&uri).await;
    assert!(matches!(deleted, Err(StorageError::Denied { .. })), "{deleted:?}");

    fs::write(photos.path().join("a photo.jpg"), "other pixels")?;
    let changed = store.download(&photo.object, &root.path().join("again"), 100).await;
    assert!(matches!(changed, Err(StorageError::Changed(_))), "{changed:?}");
    assert_eq!(fs::read_dir(photos.path())?.count(), 1, "nothing was left beside the photo");
    Ok(())
}

#[tokio::test]
async fn root_can_be_served_again_after_a_stop() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let config = LocalCloudConfig { buckets: vec!["bucket".into()], ..LocalCloudConfig::new(root.path()) };
    let cloud = LocalCloud::start(config.clone()).await?;
    let uri: S3Uri = "s3://bucket/folder/object".parse()?;
    let written = connect(&cloud).await?.write("bytes".into(), &uri, &PutOptions::default()).await?;
    assert_eq!(
        cloud.path_of("bucket", uri.key()),
        Some(root.path().canonicalize()?.join("bucket/folder/object"))
    );
    assert_eq!(cloud.path_of("bucket", "missing"), None);
    let second = LocalCloud::start(config).await;
    assert!(matches!(second, Err(LocalCloudError::InUse(_))), "{second:?}");
    cloud.stop().await;

    // The bucket is not named again: it is still there.
    let cloud = LocalCloud::start(LocalCloudConfig::new(root.path())).await?;
    let head = connect(&cloud).await?.head(&uri).await?;
    assert_eq!(written, Put::Written(head.object.version));
    cloud.stop().await;
    Ok(())
}

#[tokio::test]
async fn port_that_is_taken_is_said() -> anyhow::Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let root = tempfile::tempdir()?;
    let refused =
        LocalCloud::start(LocalCloudConfig { port: Some(port), ..LocalCloudConfig::new(root.path()) }).await;
    assert!(
        matches!(refused, Err(LocalCloudError::Listen { port: said, .. }) if said == port),
        "{refused:?}"
    );
    Ok(())
}
