-- publish: an import becomes the latest of dataset $1. One that comes again (its file was put back) is active again.
INSERT INTO annotation_imports (dataset, import_id, sequence, active, source_bucket, source_key, source_version, import)
SELECT $1, $2, COALESCE(max(sequence), 0) + 1, TRUE, $3, $4, $5, $6 FROM annotation_imports WHERE dataset = $1
ON CONFLICT (dataset, import_id) DO UPDATE
SET sequence = excluded.sequence, active = TRUE, import = excluded.import, imported_at = clock_timestamp()
