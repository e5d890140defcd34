-- publish: key $1 to $6, which the transaction found to be ours, is done.
UPDATE claims
SET state = 'done', owner = NULL, lease_until = NULL, last_error = NULL,
    updated_at = CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
