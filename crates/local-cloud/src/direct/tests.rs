use std::fs;
use std::sync::Arc;

use object_storage::testsuite::{Fixture, Interruptible, KnownLimits};

use super::*;
use crate::store::Upload;
use crate::{LocalCloudConfig, Mount};

#[async_trait]
impl Interruptible for DirectStore {
    async fn begin_upload(&self, to: &S3Uri) -> Result<String, StorageError> {
        let (bucket, key) = (to.bucket().as_str().to_owned(), to.key().to_owned());
        Ok(self.uploads.begin(Upload::new(bucket, key, None)))
    }
}

fn over(config: &LocalCloudConfig) -> DirectStore {
    let store = Arc::new(Store::open(config).expect("an empty folder"));
    DirectStore::new(store, Arc::default(), Arc::default())
}

async fn fixture() -> Fixture {
    let root = tempfile::tempdir().expect("a temporary folder");
    let bucket: types::BucketName = "bucket".parse().expect("a valid name");
    let buckets = vec![bucket.to_string()];
    let store = over(&LocalCloudConfig { buckets, ..LocalCloudConfig::new(root.path().join("cloud")) });
    Fixture::new(Arc::new(store), bucket, Arc::new(root)).with_limits(KnownLimits::default())
}

object_storage::blob_store_suite!(fixture());

#[tokio::test]
async fn mounted_folder_can_be_read_and_not_written() -> anyhow::Result<()> {
    let (root, photos) = (tempfile::tempdir()?, tempfile::tempdir()?);
    fs::write(photos.path().join("a.jpg"), "pixels")?;
    let mounts = vec![Mount { bucket: "photos".into(), folder: photos.path().to_owned() }];
    let store = over(&LocalCloudConfig { mounts, ..LocalCloudConfig::new(root.path()) });
    let uri: S3Uri = "s3://photos/a.jpg".parse()?;
    assert_eq!(store.read(&uri, 6).await?, "pixels");
    let photo = store.head(&uri).await?;
    fs::write(photos.path().join("a.jpg"), "other pixels")?;
    let changed = store.download(&photo.object, &root.path().join("copy"), 100).await;
    assert!(matches!(changed, Err(StorageError::Changed(_))), "{changed:?}");
    let put = store.write("x".into(), &uri, &PutOptions::default()).await;
    assert!(matches!(put, Err(StorageError::Denied { .. })), "{put:?}");
    let deleted = store.delete(&uri).await;
    assert!(matches!(deleted, Err(StorageError::Denied { .. })), "{deleted:?}");
    Ok(())
}

#[tokio::test]
async fn upload_that_nobody_waits_for_leaves_no_object() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let buckets = vec!["bucket".to_owned()];
    let store = over(&LocalCloudConfig { buckets, ..LocalCloudConfig::new(root.path()) });
    let stop = CancellationToken::new();
    stop.cancel();
    let uri: S3Uri = "s3://bucket/object".parse()?;
    let put = store.put(&uri, PutOptions::default(), &stop, |tmp| {
        Ok((temporary(tmp).expect("a temporary file"), Sha256::of("")))
    });
    assert!(matches!(put, Err(StorageError::Unavailable(_))), "{put:?}");
    let (from, to) = (root.path().join("from"), root.path().join("to"));
    fs::write(&from, "bytes")?;
    let copied = copy(&mut fs::File::open(&from)?, &mut fs::File::create_new(&to)?, &stop);
    assert!(matches!(copied, Err(copy::CopyError::Stopped)));
    assert!(store.list(&"s3://bucket/".parse()?, None, 10).await?.objects.is_empty());
    Ok(())
}

/// The inode of an object's file, and of a file.
fn inodes(store: &DirectStore, uri: &S3Uri, file: &Path) -> anyhow::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let path = store.path_of(uri.bucket().as_str(), uri.key()).expect("it is there");
    Ok((fs::metadata(path)?.ino(), fs::metadata(file)?.ino()))
}

#[tokio::test]
async fn only_frozen_files_with_one_name_are_kept_themselves() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let buckets = vec!["bucket".to_owned()];
    let store = over(&LocalCloudConfig { buckets, ..LocalCloudConfig::new(root.path().join("cloud")) });
    let (file, link, uri) =
        (root.path().join("file"), root.path().join("link"), "s3://bucket/object".parse::<S3Uri>()?);
    fs::write(&file, "bytes")?;
    let frozen = PutOptions { frozen: true, ..PutOptions::default() };
    let mine = PutOptions::default();
    // The last as after work that was uploaded and not published: the same file once more, which is the object by now.
    for (options, kept) in [(&mine, false), (&frozen, true), (&frozen, false)] {
        assert!(matches!(store.upload(&file, &uri, options).await?, Put::Written(_)));
        let (object, own) = inodes(&store, &uri, &file)?;
        assert_eq!(object == own, kept, "{options:?}");
        assert_eq!(store.read(&uri, 5).await?, "bytes");
        assert_eq!(store.head(&uri).await?.object.version, Sha256::of("bytes").to_hex());
    }
    std::os::unix::fs::symlink(&file, &link)?;
    store.upload(&link, &uri, &frozen).await?;
    let (object, own) = inodes(&store, &uri, &file)?;
    assert_ne!(object, own, "a link may lead anywhere");
    assert_eq!(store.read(&uri, 5).await?, "bytes");
    assert_eq!(fs::read_dir(store.store.tmp_dir())?.count(), 0);
    Ok(())
}
