-- The manifest store, embedded. docs/data-model.md says who writes what; the Postgres schema beside this one is
-- the same tables with that database's own types.
--
-- Times are milliseconds since the Unix epoch by this database's clock. Digests are raw bytes. JSON is text,
-- exactly as written. Text compares bytewise, which is the order of S3 keys.

CREATE TABLE datasets (
    name        TEXT    NOT NULL PRIMARY KEY,  -- chosen by people, see types::DatasetName
    policy_hash BLOB,                          -- the normalization policy that planning uses, once set
    policy      TEXT,                          -- its canonical form
    created_at  INTEGER NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS INTEGER)),
    CHECK ((policy_hash IS NULL) = (policy IS NULL))
) STRICT, WITHOUT ROWID;

-- The hot table: one row per object version that a stage has ever claimed.
CREATE TABLE claims (
    stage         TEXT    NOT NULL,
    bucket        TEXT    NOT NULL,            -- bucket, key and version are the object version
    key           TEXT    NOT NULL,
    version       TEXT    NOT NULL,            -- version id or ETag, opaque
    dataset       TEXT    NOT NULL,
    policy        BLOB    NOT NULL,            -- hash of the stage's settings
    state         TEXT    NOT NULL CHECK (state IN ('free', 'held', 'waiting', 'done', 'rejected')),
    attempts      INTEGER NOT NULL,            -- attempts started and not handed back
    token         INTEGER NOT NULL,            -- the fence: grows with every grant, never shrinks
    owner         TEXT,                        -- while held: the process instance that holds it
    lease_until   INTEGER,                     -- while held: after this anybody may take it over
    not_before    INTEGER,                     -- while waiting: when it may be claimed again
    last_error    TEXT,                        -- of the last failed attempt, for people
    reason_code   TEXT,                        -- while rejected: types::RejectCode
    reason_detail TEXT,                        -- while rejected: the same in words
    created_at    INTEGER NOT NULL,            -- first claimed
    claimed_at    INTEGER NOT NULL,            -- last claimed
    updated_at    INTEGER NOT NULL,            -- last change of state
    PRIMARY KEY (stage, bucket, key, version, dataset, policy),
    CHECK (state <> 'held' OR (owner IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK (state <> 'waiting' OR not_before IS NOT NULL),
    CHECK (state <> 'rejected' OR reason_code IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_rejected ON claims (dataset, stage, bucket, key, version, policy) WHERE state = 'rejected';
CREATE INDEX claims_held ON claims (owner) WHERE state = 'held';

-- Partial progress under a claim; gone when the claim is done.
CREATE TABLE checkpoints (
    stage   TEXT NOT NULL,
    bucket  TEXT NOT NULL,
    key     TEXT NOT NULL,
    version TEXT NOT NULL,
    dataset TEXT NOT NULL,
    policy  BLOB NOT NULL,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,                     -- JSON
    PRIMARY KEY (stage, bucket, key, version, dataset, policy, name),
    FOREIGN KEY (stage, bucket, key, version, dataset, policy) REFERENCES claims
) STRICT, WITHOUT ROWID;

-- The catalogue: one row per ingested key.
CREATE TABLE originals (
    dataset         TEXT    NOT NULL,
    key             TEXT    NOT NULL,          -- relative to the dataset's input prefix
    source_bucket   TEXT    NOT NULL,          -- the object version it came from
    source_key      TEXT    NOT NULL,
    source_version  TEXT    NOT NULL,
    bronze_bucket   TEXT    NOT NULL,          -- the untouched copy
    bronze_key      TEXT    NOT NULL,
    image_id        BLOB    NOT NULL,          -- 16 bytes; equal for exact duplicates
    sha256          BLOB    NOT NULL,
    bytes           INTEGER NOT NULL,
    format          TEXT    NOT NULL,
    width           INTEGER NOT NULL,          -- upright pixels
    height          INTEGER NOT NULL,
    orientation     INTEGER NOT NULL,          -- EXIF 1 to 8, how the stored pixels had to be turned
    pixel_hash      BLOB    NOT NULL,          -- SHA-256 of the upright decoded pixels
    perceptual_hash INTEGER NOT NULL,          -- 64 bits, reinterpreted as signed
    exif            TEXT    NOT NULL,          -- JSON
    animated        INTEGER NOT NULL,          -- 0 or 1
    content_since   INTEGER NOT NULL,          -- work on this content began; older claims saw other bytes
    recorded_at     INTEGER NOT NULL,          -- this content was catalogued
    PRIMARY KEY (dataset, key)
) STRICT;

CREATE INDEX originals_image ON originals (dataset, image_id, key);

-- Renditions. Never changed once written.
CREATE TABLE variants (
    dataset       TEXT    NOT NULL,
    policy        BLOB    NOT NULL,            -- normalization policy hash
    image_id      BLOB    NOT NULL,
    variant       TEXT    NOT NULL,            -- the size spec's name
    source_bucket TEXT    NOT NULL,
    source_key    TEXT    NOT NULL,
    output_bucket TEXT    NOT NULL,
    output_key    TEXT    NOT NULL,
    width         INTEGER NOT NULL,
    height        INTEGER NOT NULL,
    bytes         INTEGER NOT NULL,
    sha256        BLOB    NOT NULL,
    affine        TEXT    NOT NULL,            -- JSON array of six, see types::Affine
    added_at      INTEGER NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS INTEGER)),
    PRIMARY KEY (dataset, policy, image_id, variant)
) STRICT, WITHOUT ROWID;

-- What stages published, newest last by id.
CREATE TABLE manifests (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset        TEXT    NOT NULL,
    stage          TEXT    NOT NULL,
    policy         BLOB    NOT NULL,
    source_bucket  TEXT    NOT NULL,           -- the object version that was processed
    source_key     TEXT    NOT NULL,
    source_version TEXT    NOT NULL,
    uri            TEXT    NOT NULL,           -- the same manifest as an object
    metadata       TEXT    NOT NULL,           -- JSON
    created_at     INTEGER NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS INTEGER))
) STRICT;

CREATE INDEX manifests_page ON manifests (dataset, stage, id);

CREATE TABLE manifest_entries (
    manifest_id INTEGER NOT NULL REFERENCES manifests,
    position    INTEGER NOT NULL,              -- from 0, in the manifest's own order
    source_uri  TEXT    NOT NULL,
    output_uri  TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    sha256      BLOB    NOT NULL,
    fields      TEXT    NOT NULL,              -- JSON object: the stage's own fields
    PRIMARY KEY (manifest_id, position)
) STRICT, WITHOUT ROWID;

-- What came from what, over every dataset.
CREATE TABLE lineage_edges (
    parent   TEXT NOT NULL,                    -- S3 URI
    child    TEXT NOT NULL,                    -- S3 URI
    relation TEXT NOT NULL,                    -- types::Relation
    PRIMARY KEY (parent, child)
) STRICT, WITHOUT ROWID;

CREATE INDEX lineage_edges_child ON lineage_edges (child, parent);

-- The map between an image, its staged copy and what people or models said of it.
CREATE TABLE annotation_records (
    dataset     TEXT NOT NULL,
    record_id   TEXT NOT NULL,                 -- stable over re-imports
    image_uri   TEXT NOT NULL,
    staged_path TEXT NOT NULL,
    record      TEXT NOT NULL,                 -- JSON
    PRIMARY KEY (dataset, record_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX annotation_records_image ON annotation_records (dataset, image_uri, record_id);

-- Dataset versions. At most one per dataset is being built.
CREATE TABLE versions (
    dataset         TEXT    NOT NULL,
    version         INTEGER NOT NULL,          -- from 1
    state           TEXT    NOT NULL CHECK (state IN ('planned', 'published', 'abandoned')),
    input_digest    BLOB    NOT NULL,          -- of everything that decides the content
    settings        TEXT    NOT NULL,          -- JSON, for people
    manifest_uri    TEXT,                      -- once published
    manifest_sha256 BLOB,
    published_at    INTEGER,
    created_at      INTEGER NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS INTEGER)),
    PRIMARY KEY (dataset, version),
    CHECK ((state = 'published') = (manifest_uri IS NOT NULL)),
    CHECK ((state = 'published') = (manifest_sha256 IS NOT NULL)),
    CHECK ((state = 'published') = (published_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX versions_one_planned ON versions (dataset) WHERE state = 'planned';

CREATE TABLE version_shards (
    dataset        TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    variant        TEXT    NOT NULL,
    split          INTEGER NOT NULL CHECK (split IN (0, 1, 2)),  -- train, val, test
    number         INTEGER NOT NULL,           -- within variant and split, from 0
    samples        INTEGER NOT NULL,           -- planned
    built_uri      TEXT,                       -- the tar, once built
    built_samples  INTEGER,
    built_bytes    INTEGER,
    built_sha256   BLOB,
    PRIMARY KEY (dataset, version, variant, split, number),
    FOREIGN KEY (dataset, version) REFERENCES versions,
    CHECK ((built_uri IS NULL) = (built_samples IS NULL)),
    CHECK ((built_uri IS NULL) = (built_bytes IS NULL)),
    CHECK ((built_uri IS NULL) = (built_sha256 IS NULL))
) STRICT, WITHOUT ROWID;

-- Where each image went, for ever.
CREATE TABLE splits (
    dataset  TEXT    NOT NULL,
    image_id BLOB    NOT NULL,
    group_id BLOB    NOT NULL,                 -- near-duplicates stay together
    split    INTEGER NOT NULL CHECK (split IN (0, 1, 2)),        -- train, val, test
    PRIMARY KEY (dataset, image_id)
) STRICT, WITHOUT ROWID;
