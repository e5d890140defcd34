-- versions, version: those of dataset $1, or only number $2.
SELECT version, state, input_digest, settings, manifest_uri, manifest_sha256,
       floor(extract(epoch FROM published_at))::bigint AS published_at
FROM versions
WHERE dataset = $1 AND ($2::bigint IS NULL OR version = $2)
ORDER BY version
