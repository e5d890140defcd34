-- Images $first to $last (not included), as ingest and normalize leave them: two claims, two manifests with one and
-- three entries, four edges, an original and three variants each. The same values as in image.rs.

CREATE TEMPORARY VIEW images AS
SELECT n, 'IMG_' || lpad(n::text, 8, '0') || '.jpg' AS key, digest, substring(digest FOR 16) AS id,
       encode(substring(digest FOR 16), 'hex') AS name, sha256('bench') AS policy
FROM generate_series($first, $last - 1) AS n, LATERAL sha256(convert_to('content ' || n, 'UTF8')) AS digest;

CREATE TEMPORARY VIEW renditions AS
SELECT images.*, place, variant, variant || '/' || name || '.jpg' AS output
FROM images, unnest(ARRAY['1080p', '720p', '800x600-crop']) WITH ORDINALITY AS v (variant, place);

INSERT INTO claims (stage, bucket, key, version, dataset, policy, state, attempts, token, created_at, claimed_at, updated_at)
SELECT stage, bucket, key, name, 'bench', policy, 'done', 1, 1, clock_timestamp(), clock_timestamp(), clock_timestamp()
FROM images, (VALUES ('ingest', 'inbox'), ('normalize', 'bronze')) AS s (stage, bucket);

INSERT INTO originals (dataset, key, source_bucket, source_key, source_version, bronze_bucket, bronze_key, image_id,
                       sha256, bytes, format, width, height, orientation, pixel_hash, perceptual_hash, exif, animated,
                       recorded_at)
SELECT 'bench', key, 'inbox', key, name, 'bronze', key, id, digest, 3500000, 'jpeg', 4000, 3000, 6, digest, n,
       '{"Make":"Canon","Model":"EOS 80D"}', 0, clock_timestamp()
FROM images;

INSERT INTO variants (dataset, policy, image_id, variant, source_bucket, source_key, output_bucket, output_key, width,
                      height, bytes, sha256, affine)
SELECT 'bench', policy, id, variant, 'bronze', key, 'silver', output, 1280, 720, 250000, digest,
       '[0.32,0.0,0.0,0.0,0.24,0.0]'
FROM renditions;

-- Ids that the sequence has left free.
INSERT INTO manifests (id, dataset, stage, policy, source_bucket, source_key, source_version, uri, metadata)
OVERRIDING SYSTEM VALUE
SELECT 2 * n + place, 'bench', stage, policy, bucket, key, name, 's3://' || output || '/manifests/' || name || '.json',
       '{"encoder":"jpeg 92"}'
FROM images, (VALUES (1, 'ingest', 'inbox', 'bronze'), (2, 'normalize', 'bronze', 'silver'))
             AS s (place, stage, bucket, output);

INSERT INTO manifest_entries (manifest_id, position, source_uri, output_uri, bytes, sha256, fields)
SELECT 2 * n + 1, 0, 's3://inbox/' || key, 's3://bronze/' || key, 3500000, digest, '{"format":"jpeg"}'
FROM images
UNION ALL
SELECT 2 * n + 2, place - 1, 's3://bronze/' || key, 's3://silver/' || output, 250000, digest,
       '{"variant_name":"720p","width":1280,"height":720}'
FROM renditions;

INSERT INTO lineage_edges (parent, child, relation)
SELECT 's3://inbox/' || key, 's3://bronze/' || key, 'copied' FROM images
UNION ALL
SELECT 's3://bronze/' || key, 's3://silver/' || output, 'rendered' FROM renditions;

DROP VIEW renditions, images;
