-- versions, version: those of dataset $1, or only number $2.
SELECT version, state, input_digest, settings, manifest_uri, manifest_sha256, published_at / 1000 AS published_at
FROM versions
WHERE dataset = $1 AND ($2 IS NULL OR version = $2)
ORDER BY version
