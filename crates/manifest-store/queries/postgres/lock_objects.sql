-- publish: locks every claim of objects $1 to $4 (arrays) in key order, so that publications of one object take turns
-- and cannot deadlock. Answers for each publication $5 that has a condemned object among $6 (arrays, one for each
-- output) when the last one was buried, in microseconds, or the largest number where one is not buried; one row at least.
WITH locked AS (
    SELECT 1
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS o (stage, bucket, key, dataset)
    JOIN claims c USING (stage, bucket, key, dataset)
    ORDER BY c.stage, c.bucket, c.key, c.version, c.dataset, c.policy
    FOR NO KEY UPDATE OF c
),
removed AS (
    SELECT w.place,
           max(COALESCE((extract(epoch FROM d.buried_at) * 1000000)::bigint, 9223372036854775807)) AS removed_at
    FROM unnest($5::bigint[], $6::text[]) AS w (place, uri)
    JOIN condemned d ON d.uri = w.uri
    GROUP BY w.place
)
SELECT l.claims, r.place, r.removed_at
FROM (SELECT count(*) AS claims FROM locked) AS l
LEFT JOIN removed r ON true
