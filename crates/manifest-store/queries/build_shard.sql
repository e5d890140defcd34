-- publish: shard $5 of ($1 dataset, $2 version, $3 variant, $4 split) is built as $6 uri, $7 samples, $8 bytes,
-- $9 sha256. The tars of a published version are never replaced; building the same one again changes nothing.
UPDATE version_shards SET built_uri = $6, built_samples = $7, built_bytes = $8, built_sha256 = $9
WHERE dataset = $1 AND version = $2 AND variant = $3 AND split = $4 AND number = $5
  AND (EXISTS (SELECT 1 FROM versions v WHERE v.dataset = $1 AND v.version = $2 AND v.state <> 'published')
       OR (built_uri = $6 AND built_sha256 = $9))
