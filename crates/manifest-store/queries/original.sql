-- original: the one of dataset $1 with key $2.
SELECT key, source_bucket, source_key, source_version, bronze_bucket, bronze_key, image_id, sha256, bytes, format,
       width, height, orientation, pixel_hash, perceptual_hash, exif, animated
FROM originals
WHERE dataset = $1 AND key = $2
