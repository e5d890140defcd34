-- claim: key $1 to $6, owner $7, lease $8 in milliseconds. No row: it is settled, held or waiting.
INSERT INTO claims (stage, bucket, key, version, dataset, policy, state, attempts, token, owner, lease_until,
                    created_at, claimed_at, updated_at)
SELECT $1, $2, $3, $4, $5, $6, 'held', 1, 1, $7, t.now + $8, t.now, t.now, t.now
FROM (SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER) AS now) AS t
WHERE true
ON CONFLICT (stage, bucket, key, version, dataset, policy) DO UPDATE
SET state = 'held', attempts = attempts + 1, token = token + 1, owner = excluded.owner,
    lease_until = excluded.lease_until, not_before = NULL,
    claimed_at = excluded.claimed_at, updated_at = excluded.updated_at
WHERE state = 'free'
   OR (state = 'waiting' AND not_before <= excluded.claimed_at)
   OR (state = 'held' AND lease_until <= excluded.claimed_at)
RETURNING token, attempts
