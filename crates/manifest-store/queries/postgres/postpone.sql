-- postpone: key $1 to $6, token $7, not before $8 milliseconds from now.
UPDATE claims
SET state = 'waiting', attempts = greatest(attempts - 1, 0), owner = NULL, lease_until = NULL,
    not_before = clock_timestamp() + $8 * interval '1 millisecond', updated_at = clock_timestamp()
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
  AND state = 'held' AND token = $7
