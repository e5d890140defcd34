-- publish: claims $1 to $6 (arrays), which are locked, become $7: done; or free, because another version or policy of
-- their object is done, and work on them begins anew with the next claim. Neither needs checkpoints.
WITH settled AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[])
                  AS k (stage, bucket, key, version, dataset, policy, state)
),
cleared AS (
    DELETE FROM checkpoints p USING settled s
    WHERE (p.stage, p.bucket, p.key, p.version, p.dataset, p.policy)
        = (s.stage, s.bucket, s.key, s.version, s.dataset, s.policy)
)
UPDATE claims AS c
SET state = s.state, owner = NULL, lease_until = NULL, last_error = NULL, reason_code = NULL, reason_detail = NULL,
    attempts = CASE s.state WHEN 'free' THEN 0 ELSE c.attempts END,
    updated_at = clock_timestamp()
FROM settled s
WHERE (c.stage, c.bucket, c.key, c.version, c.dataset, c.policy)
    = (s.stage, s.bucket, s.key, s.version, s.dataset, s.policy)
