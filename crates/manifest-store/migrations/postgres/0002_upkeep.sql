-- Upkeep: objects that are being deleted. docs/data-model.md says how that works.

-- Building the indexes reads the whole of two tables.
SET LOCAL statement_timeout = 0;

-- claims.created_at means from here on: first claimed since the claim was last unsettled; 'infinity' while a claim that
-- was settled is free again, because a publication of its object has unsettled it.

-- Objects that no manifest names, from when their deletion is decided until nobody who may have written them before
-- can publish any more.
CREATE TABLE condemned (
    uri          text COLLATE "C" NOT NULL PRIMARY KEY,        -- S3 URI
    condemned_at timestamptz NOT NULL,
    buried_at    timestamptz                                   -- the object is deleted
);

-- Who names an object? Only ever asked with =.
CREATE INDEX manifest_entries_output ON manifest_entries USING hash (output_uri);
CREATE INDEX manifests_uri ON manifests USING hash (uri);
