-- annotation_links: a page of dataset $1 after record $2, at most $3.
SELECT record_id, image_key, image_uri, staged_path FROM annotation_links
WHERE dataset = $1 AND record_id > $2
ORDER BY record_id
LIMIT $3
