//! What the SDK's errors mean to us. The only place that looks at status codes and error codes.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;
use types::S3Uri;

use crate::StorageError;

/// The error of a call about `uri`.
pub(super) fn classify<E>(error: SdkError<E>, uri: &S3Uri) -> StorageError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(refused) = source_of::<CredentialsError>(&error) {
        return StorageError::Denied { uri: uri.clone(), message: chain(refused) };
    }
    let Some(status) = error.raw_response().map(|response| response.status().as_u16()) else {
        return match &error {
            SdkError::ConstructionFailure(_) => {
                StorageError::Invalid { uri: uri.clone(), message: chain(&error) }
            }
            // Timeouts and broken connections.
            _ => StorageError::Unavailable(chain(&error)),
        };
    };
    let code = code(&error).unwrap_or("");
    let words = match error.as_service_error().and_then(ProvideErrorMetadata::message) {
        Some(message) => format!("{code} ({status}): {message}"),
        None if code.is_empty() => format!("status {status}"),
        None => format!("{code} ({status})"),
    };
    by_code(status, code, words, uri)
}

/// The error of a call that writes to `uri`. The only thing that such a call can miss is the bucket; any other 404 is a
/// server that does not take the key.
pub(super) fn classify_write<E>(error: SdkError<E>, uri: &S3Uri) -> StorageError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let bucket_missing = code(&error) == Some("NoSuchBucket");
    match classify(error, uri) {
        StorageError::NotFound(uri) if !bucket_missing => StorageError::Invalid {
            uri,
            message: "the server has no place for this key (status 404)".to_owned(),
        },
        error => error,
    }
}

fn by_code(status: u16, code: &str, message: String, uri: &S3Uri) -> StorageError {
    let uri = uri.clone();
    match (status, code) {
        // Somebody cleaned up an upload under way: beginning anew helps.
        (_, "NoSuchUpload") => StorageError::Unavailable(message),
        (_, "BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch") => {
            StorageError::Damaged { uri, problem: message }
        }
        (_, "ExpiredToken" | "InvalidToken" | "PermanentRedirect" | "AuthorizationHeaderMalformed") => {
            StorageError::Denied { uri, message }
        }
        (_, "SlowDown" | "RequestTimeout" | "IncompleteBody" | "OperationAborted") => {
            StorageError::Unavailable(message)
        }
        (404, _) => StorageError::NotFound(uri),
        (412, _) => StorageError::Changed(uri),
        (401 | 403, _) => StorageError::Denied { uri, message },
        // Another bucket address, region or account: somebody has to change the configuration.
        (300..=399, _) => StorageError::Denied { uri, message },
        (408 | 409 | 429, _) => StorageError::Unavailable(message),
        (400..=499 | 501, _) => StorageError::Invalid { uri, message },
        // 5xx, and a 200 whose body is not an answer.
        _ => StorageError::Unavailable(message),
    }
}

/// A response's body that ended badly.
pub(super) fn body(error: ByteStreamError, uri: &S3Uri) -> StorageError {
    let words = chain(&error);
    // The type of the SDK's checksum error is private to it.
    if words.contains("checksum mismatch") { damaged(uri, words) } else { StorageError::Unavailable(words) }
}

/// The server's error code, if it sent one.
pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// What a conditional create was refused with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An object is there.
    AlreadyThere,
    /// Another write or delete was under way: look again.
    Conflict,
}

/// Whether a write failed only because of its condition.
pub(super) fn refusal<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<Refusal> {
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(412) => Some(Refusal::AlreadyThere),
        Some(409) => Some(Refusal::Conflict),
        _ => None,
    }
}

pub(super) fn damaged(uri: &S3Uri, problem: impl Into<String>) -> StorageError {
    StorageError::Damaged { uri: uri.clone(), problem: problem.into() }
}

fn source_of<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The error and its causes: the SDK's own texts stop at "dispatch failure".
fn chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<_> = causes(error).map(ToString::to_string).collect();
    texts.join(": ")
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_errors_are_classified() -> anyhow::Result<()> {
        let uri: S3Uri = "s3://bucket/key".parse()?;
        // Codes and statuses: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        for (status, code, expected) in [
            (404, "NoSuchKey", "NotFound"),
            (404, "NoSuchBucket", "NotFound"),
            (404, "", "NotFound"),
            (404, "NoSuchUpload", "Unavailable"),
            (412, "PreconditionFailed", "Changed"),
            (403, "AccessDenied", "Denied"),
            (403, "SignatureDoesNotMatch", "Denied"),
            (400, "ExpiredToken", "Denied"),
            (301, "PermanentRedirect", "Denied"),
            (503, "SlowDown", "Unavailable"),
            (500, "InternalError", "Unavailable"),
            (400, "RequestTimeout", "Unavailable"),
            (409, "OperationAborted", "Unavailable"),
            (400, "BadDigest", "Damaged"),
            (400, "KeyTooLongError", "Invalid"),
            (501, "NotImplemented", "Invalid"),
            (200, "", "Unavailable"),
        ] {
            let error = by_code(status, code, String::new(), &uri);
            assert!(format!("{error:?}").starts_with(expected), "{status} {code}: {error:?}");
        }
        Ok(())
    }
}
