-- progress: dataset $1 under policy $2. An original is settled when its image has variants, or when normalize ended
-- work on its bronze object, which is of this content alone.
WITH last_change AS (
    -- max() of several values is NULL if one is; zero is before everything. Each maximum is the end of an index.
    SELECT max(COALESCE((SELECT max(recorded_at) FROM originals WHERE dataset = $1), 0),
               COALESCE((SELECT max(added_at) FROM variants WHERE dataset = $1 AND policy = $2), 0),
               COALESCE((SELECT max(imported_at) FROM annotation_imports WHERE dataset = $1), 0)) AS at
)
SELECT (SELECT count(*) FROM originals WHERE dataset = $1) AS originals,
       (SELECT count(*) FROM originals o
        WHERE o.dataset = $1
          AND NOT EXISTS (SELECT 1 FROM variants v
                          WHERE v.dataset = $1 AND v.policy = $2 AND v.image_id = o.image_id)
          AND NOT EXISTS (SELECT 1 FROM claims c
                          WHERE c.stage = 'normalize' AND c.bucket = o.bronze_bucket AND c.key = o.bronze_key
                            AND c.dataset = $1 AND c.policy = $2 AND c.state IN ('done', 'rejected'))) AS pending,
       CASE WHEN at = 0 THEN 0
            ELSE max(CAST(round(unixepoch('subsec') * 1000) AS INTEGER) - at, 0) END AS quiet_for_ms
FROM last_change
