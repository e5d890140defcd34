//! The S3 operations over the store.

mod failure;
mod listing;
mod receive;
mod send;
mod uploads;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use crate::DirectStore;
use crate::store::{Bucket, Cursors, Folder, Store, Uploads};

/// The service behind `s3s`: it parses and authenticates, this answers.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    store: Arc<Store>,
    cursors: Arc<Cursors>,
    uploads: Arc<Uploads>,
}

/// A bucket that has been found to be writable.
#[derive(Debug, Clone)]
struct Writable(Arc<Bucket>);

impl Writable {
    fn folder(&self) -> &Folder {
        match self.0.as_ref() {
            Bucket::Folder(folder) => folder,
            Bucket::Mounted(_) => unreachable!("only folders are made Writable"),
        }
    }
}

impl Api {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store, cursors: Arc::default(), uploads: Arc::default() }
    }

    /// The same buckets and uploads for this process.
    pub(crate) fn direct(&self) -> DirectStore {
        DirectStore::new(Arc::clone(&self.store), Arc::clone(&self.cursors), Arc::clone(&self.uploads))
    }

    fn bucket(&self, name: &str) -> S3Result<Arc<Bucket>> {
        self.store.bucket(name).ok_or_else(|| s3_error!(NoSuchBucket))
    }

    fn writable(&self, name: &str) -> S3Result<Writable> {
        let bucket = self.bucket(name)?;
        match bucket.as_ref() {
            Bucket::Folder(_) => Ok(Writable(bucket)),
            Bucket::Mounted(_) => {
                Err(s3_error!(AccessDenied, "this bucket is a mounted folder and read-only"))
            }
        }
    }
}

#[async_trait]
impl S3 for Api {
    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = self.store.bucket_names().into_iter();
        let buckets =
            buckets.map(|name| s3s::dto::Bucket { name: Some(name), ..Default::default() }).collect();
        Ok(S3Response::new(ListBucketsOutput { buckets: Some(buckets), ..Default::default() }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let name = request.input.bucket;
        let location = format!("/{name}");
        let store = Arc::clone(&self.store);
        if failure::blocking(move || store.create_bucket(&name)).await? {
            Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
        } else {
            Err(s3_error!(BucketAlreadyOwnedByYou))
        }
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.list(request.input).await.map(S3Response::new)
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.head(request.input).await.map(S3Response::new)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.get(request.input).await.map(S3Response::new)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.put(request).await.map(S3Response::new)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.delete(&request.input.bucket, request.input.key).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.delete_many(request.input).await.map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.begin_upload(request.input).map(S3Response::new)
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        self.put_part(request).await.map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.complete_upload(request.input).await.map(S3Response::new)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.list_uploads(request.input).map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let AbortMultipartUploadInput { bucket, key, upload_id, .. } = request.input;
        if self.uploads.end(&upload_id, (&bucket, &key)) {
            Ok(S3Response::new(AbortMultipartUploadOutput::default()))
        } else {
            Err(s3_error!(NoSuchUpload))
        }
    }
}
