-- release_owner: everything that $1 holds.
UPDATE claims
SET state = 'free', attempts = max(attempts - 1, 0), owner = NULL, lease_until = NULL,
    updated_at = CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE owner = $1 AND state = 'held'
