-- renew: keys $1 to $6 and tokens $7 (arrays), lease $8 in milliseconds. Answers the renewed ones by their place in the
-- arrays. A lease that ended and was not taken over is still ours.
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
UPDATE claims AS c SET lease_until = clock_timestamp() + $8 * interval '1 millisecond'
FROM locked l
WHERE (c.stage, c.bucket, c.key, c.version, c.dataset, c.policy)
    = (l.stage, l.bucket, l.key, l.version, l.dataset, l.policy)
RETURNING l.place
