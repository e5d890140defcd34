//! Every adapter of the seam, over the suite of `object_storage::testsuite`.

mod faults;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use local_cloud::{LocalCloud, LocalCloudConfig};
use object_storage::testsuite::{Fixture, KnownLimits};
use object_storage::{MemoryStore, S3Credentials, S3Settings, S3Store};
use testkit::Moto;
use types::BucketName;

mod memory {
    object_storage::blob_store_suite!(super::memory());
}

mod s3_on_local_cloud {
    object_storage::blob_store_suite!(super::s3_on_local_cloud());
}

mod s3_on_moto {
    object_storage::blob_store_suite!(super::s3_on_moto());
}

async fn memory() -> Fixture {
    let bucket = fresh_bucket();
    let store = MemoryStore::new();
    store.create_bucket(&bucket);
    Fixture::new(Arc::new(store), bucket, Arc::new(()))
}

async fn s3_on_local_cloud() -> Fixture {
    let root = tempfile::tempdir().expect("a temporary folder");
    let bucket = fresh_bucket();
    let config = LocalCloudConfig {
        buckets: vec![bucket.to_string()],
        ..LocalCloudConfig::new(root.path().join("cloud"))
    };
    let cloud = LocalCloud::start(config).await.expect("it starts");
    let store = connect(cloud.endpoint(), cloud.access_key(), cloud.secret_key()).await;
    Fixture::new(Arc::new(store), bucket, Arc::new((cloud, root)))
}

async fn s3_on_moto() -> Fixture {
    let moto = Moto::shared().expect("moto starts");
    let bucket = fresh_bucket();
    let store = connect(moto.endpoint(), "moto", "moto").await;
    store.create_bucket(&bucket).await.expect("moto creates buckets");
    // moto 5.2.5: its router matches no key with a line break, it never compares x-amz-checksum-sha256, its PutObject
    // checks If-None-Match before it takes the lock, and every upload was begun in November 2010.
    let limits = KnownLimits {
        refuses: |key| key.contains('\n'),
        ignores_sha256: true,
        creates_race: true,
        forgets_when_uploads_began: true,
    };
    Fixture::new(Arc::new(store), bucket, moto).with_limits(limits)
}

async fn connect(endpoint: &str, access_key: &str, secret_key: &str) -> S3Store {
    let settings = S3Settings {
        endpoint: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials: S3Credentials::Static {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
        },
        path_style: None,
    };
    S3Store::connect(&settings).await.expect("the settings are complete")
}

/// moto is shared by the tests that run at the same time, so each has its own bucket.
fn fresh_bucket() -> BucketName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("bucket-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    name.parse().expect("a valid name")
}
