-- variant_totals: number and bytes by variant in dataset $1 under policy $2, of images that are still catalogued.
SELECT v.variant, count(*) AS number, CAST(sum(v.bytes) AS bigint) AS bytes
FROM variants v
WHERE v.dataset = $1 AND v.policy = $2
  AND EXISTS (SELECT 1 FROM originals o WHERE o.dataset = $1 AND o.image_id = v.image_id)
GROUP BY v.variant
ORDER BY v.variant
