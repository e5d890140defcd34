//! From `DATABASE_URL` to an adapter.

use std::path::Path;
use std::sync::Arc;

use crate::{ManifestStore, PostgresStore, SqliteStore, StoreError};

/// Connections of one process to a Postgres. The engine makes one call at a time per object in flight.
const POSTGRES_CONNECTIONS: u32 = 16;

/// Opens the manifest store that a URL names and brings its schema up to date.
///
/// Accepts `postgres://…`, `postgresql://…` and `sqlite://PATH`, where the rest of the text is a path without
/// escapes; anything else is `Configuration`. No error shows the URL: it may hold a password.
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
    if database_url.starts_with("postgres://") || database_url.starts_with("postgresql://") {
        return Ok(Arc::new(PostgresStore::connect(database_url, POSTGRES_CONNECTIONS).await?));
    }
    Err(StoreError::Configuration(
        "DATABASE_URL: expected postgres://USER:PASSWORD@HOST/DATABASE or sqlite://PATH".to_owned(),
    ))
}
