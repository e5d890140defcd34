//! Writes, multipart writes and deletes.

use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Result, s3_error};

use super::receive::{Declared, receive};
use super::{Api, Writable, failure};
use crate::store::{self, Commit, Part, PartsError, Upload};

impl Api {
    pub(super) async fn put(&self, mut request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
        let bucket = self.writable(&request.input.bucket)?;
        let if_absent = if_absent(request.input.if_match.as_ref(), request.input.if_none_match.as_ref())?;
        let input = &mut request.input;
        let declared = Declared {
            content_length: input.content_length,
            content_md5: input.content_md5.take(),
            checksums: Checksum {
                checksum_crc32: input.checksum_crc32.take(),
                checksum_crc32c: input.checksum_crc32c.take(),
                checksum_crc64nvme: input.checksum_crc64nvme.take(),
                checksum_sha1: input.checksum_sha1.take(),
                checksum_sha256: input.checksum_sha256.take(),
                checksum_type: None,
            },
        };
        let (body, key, content_type) = (input.body.take(), input.key.clone(), input.content_type.take());
        let content = receive(&mut request, body, declared, self.store.tmp_dir()).await?;
        let etag = hex::encode(content.md5);
        let commit = Commit { file: content.file, etag: etag.clone(), content_type, if_absent };
        self.commit(bucket, key, commit).await?;
        let Checksum {
            checksum_crc32,
            checksum_crc32c,
            checksum_crc64nvme,
            checksum_sha1,
            checksum_sha256,
            ..
        } = content.checksums;
        Ok(PutObjectOutput {
            e_tag: Some(ETag::Strong(etag)),
            checksum_crc32,
            checksum_crc32c,
            checksum_crc64nvme,
            checksum_sha1,
            checksum_sha256,
            ..Default::default()
        })
    }

    pub(super) async fn delete(&self, bucket: &str, key: String) -> S3Result<()> {
        let bucket = self.writable(bucket)?;
        failure::blocking(move || bucket.folder().delete(&key)).await
    }

    pub(super) async fn delete_many(&self, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in input.delete.objects {
            match self.delete(&input.bucket, object.key.clone()).await {
                Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..Default::default() }),
                Err(error) => errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: error.message().map(ToOwned::to_owned),
                    version_id: None,
                }),
            }
        }
        let deleted = if input.delete.quiet.unwrap_or(false) { None } else { Some(deleted) };
        Ok(DeleteObjectsOutput { deleted, errors: Some(errors), request_charged: None })
    }

    pub(super) fn begin_upload(
        &self,
        input: CreateMultipartUploadInput,
    ) -> S3Result<CreateMultipartUploadOutput> {
        let CreateMultipartUploadInput { bucket, key, content_type, checksum_algorithm, .. } = input;
        self.writable(&bucket)?;
        let upload_id = self.uploads.begin(Upload::new(bucket.clone(), key.clone(), content_type));
        Ok(CreateMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(key),
            upload_id: Some(upload_id),
            checksum_algorithm,
            ..Default::default()
        })
    }

    pub(super) async fn put_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<UploadPartOutput> {
        self.writable(&request.input.bucket)?;
        let input = &mut request.input;
        if !(1..=10_000).contains(&input.part_number) {
            return Err(s3_error!(InvalidArgument, "part numbers are 1 to 10000"));
        }
        let declared = Declared {
            content_length: input.content_length,
            content_md5: input.content_md5.take(),
            checksums: Checksum {
                checksum_crc32: input.checksum_crc32.take(),
                checksum_crc32c: input.checksum_crc32c.take(),
                checksum_crc64nvme: input.checksum_crc64nvme.take(),
                checksum_sha1: input.checksum_sha1.take(),
                checksum_sha256: input.checksum_sha256.take(),
                checksum_type: None,
            },
        };
        let body = input.body.take();
        let mut content = receive(&mut request, body, declared, self.store.tmp_dir()).await?;
        let checksums = std::mem::take(&mut content.checksums);
        let part = Part::new(content);
        let etag = part.etag();
        let UploadPartInput { bucket, key, upload_id, part_number, .. } = &request.input;
        if !self.uploads.add(upload_id, (bucket, key), *part_number, part) {
            return Err(s3_error!(NoSuchUpload));
        }
        let Checksum {
            checksum_crc32,
            checksum_crc32c,
            checksum_crc64nvme,
            checksum_sha1,
            checksum_sha256,
            ..
        } = checksums;
        Ok(UploadPartOutput {
            e_tag: Some(ETag::Strong(etag)),
            checksum_crc32,
            checksum_crc32c,
            checksum_crc64nvme,
            checksum_sha1,
            checksum_sha256,
            ..Default::default()
        })
    }

    pub(super) async fn complete_upload(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let CompleteMultipartUploadInput { bucket: name, key, upload_id, .. } = &input;
        let bucket = self.writable(name)?;
        let if_absent = if_absent(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let named =
            input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_deref()).unwrap_or_default();
        let wanted: Option<Vec<_>> = named
            .iter()
            .map(|part| Some((part.part_number?, part.e_tag.as_ref()?.value().to_owned())))
            .collect();
        let wanted = wanted.ok_or_else(|| s3_error!(MalformedXML))?;
        let (parts, content_type) =
            self.uploads.select(upload_id, (name, key), &wanted).map_err(parts_error)?;
        let tmp = self.store.tmp_dir();
        let (file, etag) = failure::blocking(move || store::assemble(&parts, &tmp)).await?;
        let commit = Commit { file, etag: etag.clone(), content_type, if_absent };
        self.commit(bucket, key.clone(), commit).await?;
        self.uploads.end(upload_id, (name, key));
        Ok(CompleteMultipartUploadOutput {
            location: Some(format!("/{name}/{key}")),
            bucket: Some(name.clone()),
            key: Some(key.clone()),
            e_tag: Some(ETag::Strong(etag)),
            ..Default::default()
        })
    }

    async fn commit(&self, bucket: Writable, key: String, commit: Commit) -> S3Result<()> {
        if failure::blocking(move || bucket.folder().commit(&key, commit)).await? {
            Ok(())
        } else {
            Err(s3_error!(PreconditionFailed, "an object is there"))
        }
    }
}

/// The only conditional write is "create"; others must not be taken for unconditional ones.
fn if_absent(if_match: Option<&ETagCondition>, if_none_match: Option<&ETagCondition>) -> S3Result<bool> {
    match (if_match, if_none_match) {
        (None, None) => Ok(false),
        (None, Some(ETagCondition::Any)) => Ok(true),
        _ => Err(s3_error!(NotImplemented, "writes are conditional on If-None-Match: * only")),
    }
}

fn parts_error(error: PartsError) -> S3Error {
    match error {
        PartsError::NoUpload => s3_error!(NoSuchUpload),
        PartsError::Order => s3_error!(InvalidPartOrder),
        PartsError::Missing => s3_error!(InvalidPart),
        PartsError::TooSmall => s3_error!(EntityTooSmall),
    }
}
