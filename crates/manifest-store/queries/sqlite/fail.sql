-- fail: key $1 to $6, token $7, not before $8 milliseconds from now, $9 the error.
UPDATE claims
SET state = 'waiting', owner = NULL, lease_until = NULL,
    not_before = CAST(round(unixepoch('subsec') * 1000) AS INTEGER) + $8,
    last_error = $9, updated_at = CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
  AND state = 'held' AND token = $7
