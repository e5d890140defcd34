-- ready_samples: the page of images of dataset $1 with variants under policy $2, after image id $3, at most $4:
-- the first original of each by key, and how many originals are that image.
WITH page AS (
    SELECT DISTINCT v.image_id
    FROM variants v
    WHERE v.dataset = $1 AND v.policy = $2 AND v.image_id > $3
      -- $3 once more: without it this side of the join is read from the dataset's first image on.
      AND EXISTS (SELECT 1 FROM originals o WHERE o.dataset = $1 AND o.image_id = v.image_id AND o.image_id > $3)
    ORDER BY v.image_id
    LIMIT $4
),
copies AS (
    SELECT o.image_id, min(o.key) AS first_key, count(*) AS copies
    FROM page
    JOIN originals o ON o.dataset = $1 AND o.image_id = page.image_id
    GROUP BY o.image_id
)
SELECT o.key, o.source_bucket, o.source_key, o.source_version, o.bronze_bucket, o.bronze_key, o.image_id, o.sha256,
       o.bytes, o.format, o.width, o.height, o.orientation, o.pixel_hash, o.perceptual_hash, o.exif, o.animated,
       copies.copies
FROM copies
JOIN originals o ON o.dataset = $1 AND o.key = copies.first_key
ORDER BY o.image_id
