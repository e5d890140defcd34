-- shards: those of version $2 of dataset $1.
SELECT variant, split, number, samples, built_uri, built_samples, built_bytes, built_sha256 FROM version_shards
WHERE dataset = $1 AND version = $2
ORDER BY variant, split, number
