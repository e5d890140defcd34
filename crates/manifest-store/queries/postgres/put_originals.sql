-- publish: catalogues originals (arrays without two of one key), in key order. The time of recording moves only when
-- the bytes or their place do, so that doing the same again looks like nothing happened.
INSERT INTO originals (dataset, key, source_bucket, source_key, source_version, bronze_bucket, bronze_key, image_id,
                       sha256, bytes, format, width, height, orientation, pixel_hash, perceptual_hash, exif, animated,
                       recorded_at)
SELECT o.dataset, o.key, o.source_bucket, o.source_key, o.source_version, o.bronze_bucket, o.bronze_key, o.image_id,
       o.sha256, o.bytes, o.format, o.width, o.height, o.orientation, o.pixel_hash, o.perceptual_hash, o.exif,
       o.animated, clock_timestamp()
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[],
            $9::bytea[], $10::bigint[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bytea[],
            $16::bigint[], $17::text[], $18::bigint[])
     AS o (dataset, key, source_bucket, source_key, source_version, bronze_bucket, bronze_key, image_id, sha256, bytes,
           format, width, height, orientation, pixel_hash, perceptual_hash, exif, animated)
ORDER BY o.dataset COLLATE "C", o.key COLLATE "C"
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
