-- publish: how many shards of version $2 of dataset $1 are missing.
SELECT count(*) FROM version_shards WHERE dataset = $1 AND version = $2 AND built_uri IS NULL
