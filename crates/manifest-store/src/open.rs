//! From `DATABASE_URL` to an adapter.

use std::path::Path;
use std::sync::Arc;

use crate::{ManifestStore, SqliteStore, StoreError};

/// Opens the manifest store that a URL names and brings its schema up to date.
///
/// `sqlite://PATH` takes the rest of the text as a path, without escapes; anything else is refused with what is accepted. No error shows the URL: it may hold a
/// password.
pub async fn open(database_url: &str) -> Result<Arc<dyn ManifestStore>, StoreError> {
    if let Some(path) = database_url.strip_prefix("sqlite://") {
        if path.is_empty() || path == ":memory:" || path.contains('?') {
            return Err(StoreError::Configuration(
                "DATABASE_URL: sqlite:// is followed by the path of a file and nothing else, \
                 like sqlite:///var/lib/imageml/manifest.db"
                    .to_owned(),
            ));
        }
        return Ok(Arc::new(SqliteStore::open(Path::new(path)).await?));
    }
    Err(StoreError::Configuration(
        "DATABASE_URL: expected postgres://USER:PASSWORD@HOST/DATABASE or sqlite://PATH".to_owned(),
    ))
}
