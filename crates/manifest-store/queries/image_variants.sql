-- variants: those of one image $3 of dataset $1 under policy $2.
SELECT image_id, policy, variant, source_bucket, source_key, output_bucket, output_key, width, height, bytes, sha256,
       affine
FROM variants
WHERE dataset = $1 AND policy = $2 AND image_id = $3
ORDER BY variant
