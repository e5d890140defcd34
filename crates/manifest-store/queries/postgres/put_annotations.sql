-- put_annotations: records of import $2 of dataset $1, without two of one id; those that are there are the same.
INSERT INTO annotation_records (dataset, record_id, import_id, changed_at, record)
SELECT $1, r.record_id, $2, r.changed_at, r.record
FROM unnest($3::text[], $4::bigint[], $5::text[]) AS r (record_id, changed_at, record)
ORDER BY r.record_id COLLATE "C"
ON CONFLICT DO NOTHING
