-- publish: variants; those that are there stay. In key order, so that publications of exact duplicates cannot
-- deadlock.
INSERT INTO variants (dataset, policy, image_id, variant, source_bucket, source_key, output_bucket, output_key, width,
                      height, bytes, sha256, affine)
SELECT v.dataset, v.policy, v.image_id, v.variant, v.source_bucket, v.source_key, v.output_bucket, v.output_key,
       v.width, v.height, v.bytes, v.sha256, v.affine
FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[], $13::text[])
     WITH ORDINALITY AS v (dataset, policy, image_id, variant, source_bucket, source_key, output_bucket, output_key,
                           width, height, bytes, sha256, affine, place)
ORDER BY v.dataset COLLATE "C", v.policy, v.image_id, v.variant COLLATE "C", v.place
ON CONFLICT DO NOTHING
