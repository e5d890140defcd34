-- put_checkpoint: under a claim that was locked before ($1 to $6: the claim key), $7 name, $8 value.
INSERT INTO checkpoints (stage, bucket, key, version, dataset, policy, name, value)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (stage, bucket, key, version, dataset, policy, name) DO UPDATE SET value = excluded.value
