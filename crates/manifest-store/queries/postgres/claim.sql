-- claim: keys $1 to $6 (arrays without duplicates), owner $7, lease $8 in milliseconds. Answers the granted ones by
-- their place in the arrays. Rows are locked in key order, so that replicas cannot deadlock.
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
                  WITH ORDINALITY AS k (stage, bucket, key, version, dataset, policy, place)
),
granted AS (
    INSERT INTO claims AS c (stage, bucket, key, version, dataset, policy, state, attempts, token, owner, lease_until,
                             created_at, claimed_at, updated_at)
    SELECT stage, bucket, key, version, dataset, policy, 'held', 1, 1, $7,
           clock_timestamp() + $8 * interval '1 millisecond', clock_timestamp(), clock_timestamp(), clock_timestamp()
    FROM wanted
    ORDER BY stage COLLATE "C", bucket COLLATE "C", key COLLATE "C", version COLLATE "C", dataset COLLATE "C", policy
    ON CONFLICT (stage, bucket, key, version, dataset, policy) DO UPDATE
    SET state = 'held', attempts = c.attempts + 1, token = c.token + 1, owner = excluded.owner,
        lease_until = clock_timestamp() + $8 * interval '1 millisecond', not_before = NULL,
        claimed_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE c.state = 'free'
       OR (c.state = 'waiting' AND c.not_before <= clock_timestamp())
       OR (c.state = 'held' AND c.lease_until <= clock_timestamp())
    RETURNING stage, bucket, key, version, dataset, policy, token, attempts
)
SELECT w.place, g.token, g.attempts
FROM granted g
JOIN wanted w USING (stage, bucket, key, version, dataset, policy)
