-- release: keys $1 to $6 and tokens $7 (arrays).
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[])
                  WITH ORDINALITY AS k (stage, bucket, key, version, dataset, policy, token, place)
),
locked AS (
    SELECT c.stage, c.bucket, c.key, c.version, c.dataset, c.policy, w.place
    FROM wanted w
    JOIN claims c USING (stage, bucket, key, version, dataset, policy, token)
    WHERE c.state = 'held'
    ORDER BY c.stage, c.bucket, c.key, c.version, c.dataset, c.policy
    FOR NO KEY UPDATE OF c
)
UPDATE claims AS c
SET state = 'free', attempts = greatest(c.attempts - 1, 0), owner = NULL, lease_until = NULL,
    updated_at = clock_timestamp()
FROM locked l
WHERE (c.stage, c.bucket, c.key, c.version, c.dataset, c.policy)
    = (l.stage, l.bucket, l.key, l.version, l.dataset, l.policy)
