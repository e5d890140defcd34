//! A store that has seen so many images, quickly: rows are inserted without indexes, which are made again afterwards.

use anyhow::ensure;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Manifest entries of an image: its copy in bronze and three renditions.
pub(crate) const ENTRIES: usize = 4;

/// No filled image reaches this number, and no filled manifest twice it: from here on the store itself gives ids.
pub(crate) const RESERVED: usize = 100_000_000;

/// What indexes and constraints there are, each with the statements that drop it and make it again. Foreign keys need
/// primary keys, so these come before them when they are made.
const INDEXES: &str = "
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
           CASE contype WHEN 'f' THEN 2 ELSE 1 END AS turn
    FROM pg_constraint
    WHERE contype IN ('p', 'f') AND conrelid = ANY ($1::regclass[])
    UNION ALL
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid), 1
    FROM pg_index
    WHERE indrelid = ANY ($1::regclass[])
      AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype = 'p')
    ORDER BY turn";

/// Foreign keys of others to these tables would be in the way: `checkpoints` goes along.
const TABLES: [&str; 7] =
    ["checkpoints", "claims", "originals", "variants", "manifests", "manifest_entries", "lineage_edges"];

/// Adds the images with these numbers.
pub(crate) async fn images(database: &str, first: usize, last: usize) -> anyhow::Result<()> {
    ensure!(last <= RESERVED, "more than {RESERVED} images");
    let mut connection = PgConnection::connect(database).await?;
    run(&mut connection, "SET maintenance_work_mem = '512MB'").await?;
    let indexes: Vec<(String, String, i32)> =
        sqlx::query_as(INDEXES).bind(TABLES.as_slice()).fetch_all(&mut connection).await?;
    for (drop, _, _) in indexes.iter().rev() {
        run(&mut connection, drop).await?;
    }
    let fill = include_str!("fill.sql").replace("$first", &first.to_string());
    run(&mut connection, &fill.replace("$last", &last.to_string())).await?;
    for (_, make, _) in &indexes {
        run(&mut connection, make).await?;
    }
    run(&mut connection, "VACUUM (ANALYZE)").await?;
    run(&mut connection, "CHECKPOINT").await
}

/// Keeps the ids of filled manifests free.
pub(crate) async fn reserve(database: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(database).await?;
    run(&mut connection, &format!("ALTER SEQUENCE manifests_id_seq RESTART {}", 2 * RESERVED)).await
}

/// Of the whole database, with indexes.
pub(crate) async fn bytes(database: &str) -> anyhow::Result<i64> {
    let mut connection = PgConnection::connect(database).await?;
    let size = "SELECT pg_database_size(current_database())";
    Ok(sqlx::query_scalar(size).fetch_one(&mut connection).await?)
}

async fn run(connection: &mut PgConnection, statements: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(connection).await?;
    Ok(())
}
