-- release_owner: everything that $1 holds.
UPDATE claims
SET state = 'free', attempts = greatest(attempts - 1, 0), owner = NULL, lease_until = NULL,
    updated_at = clock_timestamp()
WHERE owner = $1 AND state = 'held'
