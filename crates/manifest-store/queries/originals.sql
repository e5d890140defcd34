-- originals: a page of dataset $1 after key $2 ('' for the first), at most $3.
SELECT key, source_bucket, source_key, source_version, bronze_bucket, bronze_key, image_id, sha256, bytes, format,
       width, height, orientation, pixel_hash, perceptual_hash, exif, animated
FROM originals
WHERE dataset = $1 AND key > $2
ORDER BY key
LIMIT $3
