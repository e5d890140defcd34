-- annotation_records: those of image $2 in dataset $1.
SELECT record_id, image_uri, staged_path, record FROM annotation_records
WHERE dataset = $1 AND image_uri = $2
ORDER BY record_id
