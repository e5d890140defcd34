-- publish: catalogues an original. The time of recording moves only when the bytes or their place do, so that doing the
-- same again looks like nothing happened.
INSERT INTO originals (dataset, key, source_bucket, source_key, source_version, bronze_bucket, bronze_key, image_id,
                       sha256, bytes, format, width, height, orientation, pixel_hash, perceptual_hash, exif, animated,
                       recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
        CAST(round(unixepoch('subsec') * 1000) AS INTEGER))
ON CONFLICT (dataset, key) DO UPDATE
SET source_bucket = excluded.source_bucket, source_key = excluded.source_key,
    source_version = excluded.source_version, bronze_bucket = excluded.bronze_bucket,
    bronze_key = excluded.bronze_key, image_id = excluded.image_id, sha256 = excluded.sha256, bytes = excluded.bytes,
    format = excluded.format, width = excluded.width, height = excluded.height, orientation = excluded.orientation,
    pixel_hash = excluded.pixel_hash, perceptual_hash = excluded.perceptual_hash, exif = excluded.exif,
    animated = excluded.animated,
    recorded_at = CASE WHEN originals.sha256 = excluded.sha256 AND originals.bronze_bucket = excluded.bronze_bucket
                            AND originals.bronze_key = excluded.bronze_key
                       THEN originals.recorded_at ELSE excluded.recorded_at END
