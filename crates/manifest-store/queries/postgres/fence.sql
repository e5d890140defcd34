-- publish, put_checkpoint: what the fence of a key ($1 to $6) is; it stays so until the transaction ends.
SELECT state, token, floor(extract(epoch FROM created_at) * 1000)::bigint AS created_at_ms FROM claims
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
FOR NO KEY UPDATE
