-- publish: variants of dataset $1; those that are there stay. In key order, so that publications of exact duplicates
-- cannot deadlock.
INSERT INTO variants (dataset, policy, image_id, variant, source_bucket, source_key, output_bucket, output_key, width,
                      height, bytes, sha256, affine)
SELECT $1, v.*
FROM unnest($2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
            $10::bigint[], $11::bigint[], $12::bytea[], $13::text[])
     AS v (policy, image_id, variant, source_bucket, source_key, output_bucket, output_key, width, height, bytes,
           sha256, affine)
ORDER BY v.policy, v.image_id, v.variant COLLATE "C"
ON CONFLICT DO NOTHING
