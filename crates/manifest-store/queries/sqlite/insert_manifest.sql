-- publish: the manifest itself; its entries follow.
INSERT INTO manifests (dataset, stage, policy, source_bucket, source_key, source_version, uri, metadata)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id
