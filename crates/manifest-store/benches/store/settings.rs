//! How the database server is set up.

use sqlx::{Connection, PgConnection};

/// What decides how much a commit costs.
pub(crate) async fn shown(database: &str) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(database).await?;
    let names = ["server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers"];
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, setting || COALESCE(' × ' || unit, '') FROM pg_settings WHERE name = ANY ($1)
         ORDER BY array_position($1, name)",
    )
    .bind(names.as_slice())
    .fetch_all(&mut connection)
    .await?;
    let settings: Vec<String> = rows.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
    Ok(format!("PostgreSQL: {}", settings.join(", ")))
}
