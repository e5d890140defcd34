-- Upkeep: objects that are being deleted. docs/data-model.md says how that works.

-- claims.created_at means from here on: first claimed since the claim was last unsettled; the largest number while a
-- claim that was settled is free again, because a publication of its object has unsettled it.

-- Objects that no manifest names, from when their deletion is decided until nobody who may have written them before
-- can publish any more.
CREATE TABLE condemned (
    uri          TEXT    NOT NULL PRIMARY KEY, -- S3 URI
    condemned_at INTEGER NOT NULL,
    buried_at    INTEGER                       -- the object is deleted
) STRICT, WITHOUT ROWID;

-- Who names an object?
CREATE INDEX manifest_entries_output ON manifest_entries (output_uri);
CREATE INDEX manifests_uri ON manifests (uri);
