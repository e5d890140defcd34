//! Blocking work and what its failures are in S3's words.

use std::io;

use s3s::{S3Error, S3Result, s3_error};

/// Runs file work on the blocking pool.
pub(super) async fn blocking<T, F>(work: F) -> S3Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(of_io),
        Err(panicked) => Err(S3Error::internal_error(panicked)),
    }
}

/// A failed file operation. A full disk is worth another try when someone has made room, so it is a 503.
pub(super) fn of_io(error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            s3_error!(error, ServiceUnavailable, "no space left on the device")
        }
        io::ErrorKind::PermissionDenied => s3_error!(error, AccessDenied, "the file system refuses access"),
        _ => S3Error::internal_error(error),
    }
}
