-- publish: manifests $1 to $8 (arrays), and entries $9 to $15 (arrays) by the place of their manifest, from 1. The ids
-- are drawn first (the sequence is that of the identity column), so that the entries know theirs.
WITH numbered AS (
    SELECT nextval('manifests_id_seq') AS id, m.*
    FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
         WITH ORDINALITY AS m (dataset, stage, policy, source_bucket, source_key, source_version, uri, metadata, place)
),
written AS (
    INSERT INTO manifests (id, dataset, stage, policy, source_bucket, source_key, source_version, uri, metadata)
    OVERRIDING SYSTEM VALUE
    SELECT id, dataset, stage, policy, source_bucket, source_key, source_version, uri, metadata
    FROM numbered
)
INSERT INTO manifest_entries (manifest_id, position, source_uri, output_uri, bytes, sha256, fields)
SELECT n.id, e.position, e.source_uri, e.output_uri, e.bytes, e.sha256, e.fields
FROM unnest($9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::bigint[], $14::bytea[], $15::text[])
     AS e (place, position, source_uri, output_uri, bytes, sha256, fields)
JOIN numbered n USING (place)
