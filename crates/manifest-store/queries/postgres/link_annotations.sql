-- link_annotations: links of dataset $1, without two of one record. Planning finds the same ones again and again: those
-- are not written.
INSERT INTO annotation_links AS known (dataset, record_id, image_key, image_uri, staged_path)
SELECT $1, l.record_id, l.image_key, l.image_uri, l.staged_path
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS l (record_id, image_key, image_uri, staged_path)
ORDER BY l.record_id COLLATE "C"
ON CONFLICT (dataset, record_id) DO UPDATE
SET image_key = excluded.image_key, image_uri = excluded.image_uri, staged_path = excluded.staged_path
WHERE (known.image_key, known.image_uri, known.staged_path)
      IS DISTINCT FROM (excluded.image_key, excluded.image_uri, excluded.staged_path)
