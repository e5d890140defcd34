-- Annotations: imports of files, the records in them, the categories of datasets, and which image a record is about.

-- Nothing ever wrote to it.
DROP TABLE annotation_records;

-- One row per annotation file that was imported; written by the publication of its import.
CREATE TABLE annotation_imports (
    dataset        TEXT    NOT NULL,
    import_id      BLOB    NOT NULL,           -- SHA-256 of the file's object version and the settings
    sequence       INTEGER NOT NULL,           -- grows with every import of the dataset
    active         INTEGER NOT NULL,           -- 0 once a newer version of the file is imported
    source_bucket  TEXT    NOT NULL,           -- the file, as an object version
    source_key     TEXT    NOT NULL,
    source_version TEXT    NOT NULL,
    import         TEXT    NOT NULL,           -- JSON: AnnotationImport
    imported_at    INTEGER NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS INTEGER)),
    PRIMARY KEY (dataset, import_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX annotation_imports_sequence ON annotation_imports (dataset, sequence);
CREATE INDEX annotation_imports_source ON annotation_imports (dataset, source_bucket, source_key) WHERE active;

-- One row per record and import. Of no effect until the import is there.
CREATE TABLE annotation_records (
    dataset    TEXT    NOT NULL,
    record_id  TEXT    NOT NULL,               -- annotations::RecordId: the same in every export
    import_id  BLOB    NOT NULL,
    changed_at INTEGER NOT NULL,               -- microseconds since 1970 by the source's clock, or -1
    record     TEXT    NOT NULL,               -- JSON: annotations::Record
    PRIMARY KEY (dataset, record_id, import_id)
) STRICT;

-- The categories of a dataset. Numbers never move.
CREATE TABLE categories (
    dataset    TEXT    NOT NULL,
    id         INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    definition TEXT    NOT NULL,               -- JSON: annotations::CategoryDefinition
    PRIMARY KEY (dataset, id),
    UNIQUE (dataset, name)
) STRICT, WITHOUT ROWID;

-- The image that a record was joined to when a version was last planned.
CREATE TABLE annotation_links (
    dataset     TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    image_key   TEXT NOT NULL,                 -- originals.key
    image_uri   TEXT NOT NULL,                 -- the original in bronze
    staged_path TEXT NOT NULL,                 -- its name below a stage's folder on NVMe
    PRIMARY KEY (dataset, record_id)
) STRICT, WITHOUT ROWID;
