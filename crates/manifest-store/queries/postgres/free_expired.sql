-- free_expired: claims of stage $1 whose lease ended more than $2 milliseconds ago. Who is at work on one is let go on.
WITH expired AS (
    SELECT stage, bucket, key, version, dataset, policy
    FROM claims
    WHERE state = 'held' AND stage = $1 AND lease_until < clock_timestamp() - $2 * interval '1 millisecond'
    ORDER BY stage, bucket, key, version, dataset, policy
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE claims AS c
SET state = 'free', owner = NULL, lease_until = NULL, updated_at = clock_timestamp()
FROM expired e
WHERE (c.stage, c.bucket, c.key, c.version, c.dataset, c.policy)
    = (e.stage, e.bucket, e.key, e.version, e.dataset, e.policy)
