-- variants: those of dataset $1 under policy $2 with image ids after $3 and up to $4.
SELECT image_id, policy, variant, source_bucket, source_key, output_bucket, output_key, width, height, bytes, sha256,
       affine
FROM variants
WHERE dataset = $1 AND policy = $2 AND image_id > $3 AND image_id <= $4
ORDER BY image_id, variant
