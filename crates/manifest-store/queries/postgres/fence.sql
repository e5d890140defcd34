-- put_checkpoint: the fence of a key ($1 to $6) that is held; it stays so until the transaction ends.
SELECT token FROM claims
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6 AND state = 'held'
FOR NO KEY UPDATE
