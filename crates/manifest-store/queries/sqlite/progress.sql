-- progress: dataset $1 under policy $2. An original is settled when its image has variants, or when normalize ended
-- work on its bronze object, which is of this content alone.
WITH looked_at AS (
    SELECT o.recorded_at,
           NOT EXISTS (SELECT 1 FROM variants v
                       WHERE v.dataset = $1 AND v.policy = $2 AND v.image_id = o.image_id)
           AND NOT EXISTS (SELECT 1 FROM claims c
                           WHERE c.stage = 'normalize' AND c.bucket = o.bronze_bucket AND c.key = o.bronze_key
                             AND c.dataset = $1 AND c.policy = $2 AND c.state IN ('done', 'rejected')) AS pending
    FROM originals o
    WHERE o.dataset = $1
)
SELECT count(*) AS originals,
       count(*) FILTER (WHERE pending) AS pending,
       COALESCE(max(CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
                    - max(max(recorded_at),
                          COALESCE((SELECT max(added_at) FROM variants WHERE dataset = $1 AND policy = $2), 0)),
                    0), 0) AS quiet_for_ms
FROM looked_at
