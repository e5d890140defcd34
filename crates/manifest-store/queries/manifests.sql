-- manifests: a page of stage $2 of dataset $1, after id $3, at most $4.
SELECT id, policy, source_bucket, source_key, source_version, uri, metadata FROM manifests
WHERE dataset = $1 AND stage = $2 AND id > $3
ORDER BY id
LIMIT $4
