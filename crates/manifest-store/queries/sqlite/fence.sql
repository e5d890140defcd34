-- publish, put_checkpoint: what the fence of a key ($1 to $6) is, in a transaction that may write.
SELECT state, token, created_at AS created_at_ms FROM claims
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
