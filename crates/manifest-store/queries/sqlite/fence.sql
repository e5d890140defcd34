-- put_checkpoint: the fence of a key ($1 to $6) that is held, in a transaction that may write.
SELECT token FROM claims
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6 AND state = 'held'
