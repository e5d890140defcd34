-- publish: the entries of manifest $1, in the order of the arrays.
INSERT INTO manifest_entries (manifest_id, position, source_uri, output_uri, bytes, sha256, fields)
SELECT $1, e.place - 1, e.source_uri, e.output_uri, e.bytes, e.sha256, e.fields
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::text[])
     WITH ORDINALITY AS e (source_uri, output_uri, bytes, sha256, fields, place)
