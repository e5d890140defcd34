-- Annotations: imports of files, the records in them, the categories of datasets, and which image a record is about.

-- Nothing ever wrote to it.
DROP TABLE annotation_records;

-- One row per annotation file that was imported; written by the publication of its import.
CREATE TABLE annotation_imports (
    dataset        text COLLATE "C" NOT NULL,
    import_id      bytea NOT NULL,                             -- SHA-256 of the file's object version and the settings
    sequence       bigint NOT NULL,                            -- grows with every import of the dataset
    active         boolean NOT NULL,                           -- false once a newer version of the file is imported
    source_bucket  text COLLATE "C" NOT NULL,                  -- the file, as an object version
    source_key     text COLLATE "C" NOT NULL,
    source_version text COLLATE "C" NOT NULL,
    import         text NOT NULL,                              -- JSON: AnnotationImport
    imported_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dataset, import_id)
);

CREATE UNIQUE INDEX annotation_imports_sequence ON annotation_imports (dataset, sequence);
CREATE INDEX annotation_imports_source ON annotation_imports (dataset, source_bucket, source_key) WHERE active;

-- One row per record and import. Of no effect until the import is there.
CREATE TABLE annotation_records (
    dataset    text COLLATE "C" NOT NULL,
    record_id  text COLLATE "C" NOT NULL,                      -- annotations::RecordId: the same in every export
    import_id  bytea NOT NULL,
    changed_at bigint NOT NULL,                                -- microseconds since 1970 by the source's clock, or -1
    record     text NOT NULL,                                  -- JSON: annotations::Record
    PRIMARY KEY (dataset, record_id, import_id)
);

-- The categories of a dataset. Numbers never move.
CREATE TABLE categories (
    dataset    text COLLATE "C" NOT NULL,
    id         bigint NOT NULL,
    name       text COLLATE "C" NOT NULL,
    definition text NOT NULL,                                  -- JSON: annotations::CategoryDefinition
    PRIMARY KEY (dataset, id),
    UNIQUE (dataset, name)
);

-- The image that a record was joined to when a version was last planned.
CREATE TABLE annotation_links (
    dataset     text COLLATE "C" NOT NULL,
    record_id   text COLLATE "C" NOT NULL,
    image_key   text COLLATE "C" NOT NULL,                     -- originals.key
    image_uri   text NOT NULL,                                 -- the original in bronze
    staged_path text NOT NULL,                                 -- its name below a stage's folder on NVMe
    PRIMARY KEY (dataset, record_id)
);
