-- publish: an import of another version of the same file ($1 dataset, $2 bucket, $3 key) takes its place.
UPDATE annotation_imports SET active = FALSE
WHERE dataset = $1 AND source_bucket = $2 AND source_key = $3 AND active
