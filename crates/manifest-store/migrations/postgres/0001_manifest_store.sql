-- The manifest store. docs/data-model.md says who writes what; the SQLite schema beside this one is the same tables
-- with that database's own types.
--
-- Times are by this database's clock. Digests are raw bytes. JSON is text, exactly as written (jsonb would
-- refuse \u0000 and reorder); cast it to jsonb to query it. Text that is a key compares
-- bytewise (COLLATE "C"), which is the order of S3.
-- Hot tables have no foreign key to datasets: every insert would lock the same row there. Index rows stay below
-- the 2704 bytes of a B-tree: a key has at most 1024 bytes, a version id too, a bucket and a dataset 63 each.

CREATE TABLE datasets (
    name        text COLLATE "C" NOT NULL PRIMARY KEY,         -- chosen by people, see types::DatasetName
    policy_hash bytea,                                         -- the normalization policy that planning uses, once set
    policy      text,                                          -- its canonical form
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((policy_hash IS NULL) = (policy IS NULL))
);

-- The hot table: one row per object version that a stage has ever claimed.
CREATE TABLE claims (
    stage         text COLLATE "C" NOT NULL,
    bucket        text COLLATE "C" NOT NULL,                   -- bucket, key and version are the object version
    key           text COLLATE "C" NOT NULL,
    version       text COLLATE "C" NOT NULL,                   -- version id or ETag, opaque
    dataset       text COLLATE "C" NOT NULL,
    policy        bytea NOT NULL,                              -- hash of the stage's settings
    state         text NOT NULL CHECK (state IN ('free', 'held', 'waiting', 'done', 'rejected')),
    attempts      bigint NOT NULL,                             -- attempts started and not handed back
    token         bigint NOT NULL,                             -- the fence: grows with every grant, never shrinks
    owner         text,                                        -- while held: the process instance that holds it
    lease_until   timestamptz,                                 -- while held: after this anybody may take it over
    not_before    timestamptz,                                 -- while waiting: when it may be claimed again
    last_error    text,                                        -- of the last failed attempt, for people
    reason_code   text,                                        -- while rejected: types::RejectCode
    reason_detail text,                                        -- while rejected: the same in words
    created_at    timestamptz NOT NULL,                        -- first claimed
    claimed_at    timestamptz NOT NULL,                        -- last claimed
    updated_at    timestamptz NOT NULL,                        -- last change of state
    PRIMARY KEY (stage, bucket, key, version, dataset, policy),
    CHECK (state <> 'held' OR (owner IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK (state <> 'waiting' OR not_before IS NOT NULL),
    CHECK (state <> 'rejected' OR reason_code IS NOT NULL)
);

CREATE INDEX claims_rejected ON claims (dataset, stage, bucket, key, version, policy) WHERE state = 'rejected';
CREATE INDEX claims_held ON claims (owner) WHERE state = 'held';

-- Partial progress under a claim; gone when the claim is done.
CREATE TABLE checkpoints (
    stage   text COLLATE "C" NOT NULL,
    bucket  text COLLATE "C" NOT NULL,
    key     text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    dataset text COLLATE "C" NOT NULL,
    policy  bytea NOT NULL,
    name    text COLLATE "C" NOT NULL,
    value   text NOT NULL,                                     -- JSON
    PRIMARY KEY (stage, bucket, key, version, dataset, policy, name),
    FOREIGN KEY (stage, bucket, key, version, dataset, policy) REFERENCES claims
);

-- The catalogue: one row per ingested key.
CREATE TABLE originals (
    dataset         text COLLATE "C" NOT NULL,
    key             text COLLATE "C" NOT NULL,                 -- relative to the dataset's input prefix
    source_bucket   text COLLATE "C" NOT NULL,                 -- the object version it came from
    source_key      text COLLATE "C" NOT NULL,
    source_version  text COLLATE "C" NOT NULL,
    bronze_bucket   text COLLATE "C" NOT NULL,                 -- the untouched copy
    bronze_key      text COLLATE "C" NOT NULL,
    image_id        bytea NOT NULL,                            -- 16 bytes; equal for exact duplicates
    sha256          bytea NOT NULL,
    bytes           bigint NOT NULL,
    format          text NOT NULL,
    width           bigint NOT NULL,                           -- upright pixels
    height          bigint NOT NULL,
    orientation     bigint NOT NULL,                           -- EXIF 1 to 8, how the stored pixels had to be turned
    pixel_hash      bytea NOT NULL,                            -- SHA-256 of the upright decoded pixels
    perceptual_hash bigint NOT NULL,                           -- 64 bits, reinterpreted as signed
    exif            text NOT NULL,                             -- JSON
    animated        bigint NOT NULL,                           -- 0 or 1
    content_since   timestamptz NOT NULL,                      -- work on it began; older claims saw other bytes
    recorded_at     timestamptz NOT NULL,                      -- this content was catalogued
    PRIMARY KEY (dataset, key)
);

CREATE INDEX originals_image ON originals (dataset, image_id, key);

-- Renditions. Never changed once written.
CREATE TABLE variants (
    dataset       text COLLATE "C" NOT NULL,
    policy        bytea NOT NULL,                              -- normalization policy hash
    image_id      bytea NOT NULL,
    variant       text COLLATE "C" NOT NULL,                   -- the size spec's name
    source_bucket text COLLATE "C" NOT NULL,
    source_key    text COLLATE "C" NOT NULL,
    output_bucket text COLLATE "C" NOT NULL,
    output_key    text COLLATE "C" NOT NULL,
    width         bigint NOT NULL,
    height        bigint NOT NULL,
    bytes         bigint NOT NULL,
    sha256        bytea NOT NULL,
    affine        text NOT NULL,                               -- JSON array of six, see types::Affine
    added_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dataset, policy, image_id, variant)
);

-- What stages published, newest last by id.
CREATE TABLE manifests (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset        text COLLATE "C" NOT NULL,
    stage          text COLLATE "C" NOT NULL,
    policy         bytea NOT NULL,
    source_bucket  text COLLATE "C" NOT NULL,                  -- the object version that was processed
    source_key     text COLLATE "C" NOT NULL,
    source_version text COLLATE "C" NOT NULL,
    uri            text NOT NULL,                              -- the same manifest as an object
    metadata       text NOT NULL,                              -- JSON
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX manifests_page ON manifests (dataset, stage, id);

CREATE TABLE manifest_entries (
    manifest_id bigint NOT NULL REFERENCES manifests,
    position    bigint NOT NULL,                               -- from 0, in the manifest's own order
    source_uri  text NOT NULL,
    output_uri  text NOT NULL,
    bytes       bigint NOT NULL,
    sha256      bytea NOT NULL,
    fields      text NOT NULL,                                 -- JSON object: the stage's own fields
    PRIMARY KEY (manifest_id, position)
);

-- What came from what, over every dataset.
CREATE TABLE lineage_edges (
    parent   text COLLATE "C" NOT NULL,                        -- S3 URI
    child    text COLLATE "C" NOT NULL,                        -- S3 URI
    relation text NOT NULL,                                    -- types::Relation
    PRIMARY KEY (parent, child)
);

CREATE INDEX lineage_edges_child ON lineage_edges (child, parent);

-- The map between an image, its staged copy and what people or models said of it.
CREATE TABLE annotation_records (
    dataset     text COLLATE "C" NOT NULL,
    record_id   text COLLATE "C" NOT NULL,                     -- stable over re-imports
    image_uri   text COLLATE "C" NOT NULL,
    staged_path text NOT NULL,
    record      text NOT NULL,                                 -- JSON
    PRIMARY KEY (dataset, record_id)
);

CREATE INDEX annotation_records_image ON annotation_records (dataset, image_uri, record_id);

-- Dataset versions. At most one per dataset is being built.
CREATE TABLE versions (
    dataset         text COLLATE "C" NOT NULL,
    version         bigint NOT NULL,                           -- from 1
    state           text NOT NULL CHECK (state IN ('planned', 'published', 'abandoned')),
    input_digest    bytea NOT NULL,                            -- of everything that decides the content
    settings        text NOT NULL,                             -- JSON, for people
    manifest_uri    text,                                      -- once published
    manifest_sha256 bytea,
    published_at    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dataset, version),
    CHECK ((state = 'published') = (manifest_uri IS NOT NULL)),
    CHECK ((state = 'published') = (manifest_sha256 IS NOT NULL)),
    CHECK ((state = 'published') = (published_at IS NOT NULL))
);

CREATE UNIQUE INDEX versions_one_planned ON versions (dataset) WHERE state = 'planned';

CREATE TABLE version_shards (
    dataset        text COLLATE "C" NOT NULL,
    version        bigint NOT NULL,
    variant        text COLLATE "C" NOT NULL,
    split          bigint NOT NULL CHECK (split IN (0, 1, 2)), -- train, val, test
    number         bigint NOT NULL,                            -- within variant and split, from 0
    samples        bigint NOT NULL,                            -- planned
    built_uri      text,                                       -- the tar, once built
    built_samples  bigint,
    built_bytes    bigint,
    built_sha256   bytea,
    PRIMARY KEY (dataset, version, variant, split, number),
    FOREIGN KEY (dataset, version) REFERENCES versions,
    CHECK ((built_uri IS NULL) = (built_samples IS NULL)),
    CHECK ((built_uri IS NULL) = (built_bytes IS NULL)),
    CHECK ((built_uri IS NULL) = (built_sha256 IS NULL))
);

-- Where each image went, for ever.
CREATE TABLE splits (
    dataset  text COLLATE "C" NOT NULL,
    image_id bytea NOT NULL,
    group_id bytea NOT NULL,                                   -- near-duplicates stay together
    split    bigint NOT NULL CHECK (split IN (0, 1, 2)),       -- train, val, test
    PRIMARY KEY (dataset, image_id)
);
