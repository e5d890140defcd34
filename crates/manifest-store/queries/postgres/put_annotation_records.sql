-- put_annotation_records: arrays without two records of one id.
INSERT INTO annotation_records (dataset, record_id, image_uri, staged_path, record)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
              AS r (dataset, record_id, image_uri, staged_path, record)
ORDER BY r.dataset COLLATE "C", r.record_id COLLATE "C"
ON CONFLICT (dataset, record_id) DO UPDATE
SET image_uri = excluded.image_uri, staged_path = excluded.staged_path, record = excluded.record
