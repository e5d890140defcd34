-- manifests: the entries of the page of stage $2 of dataset $1 with ids after $3 and up to $4.
SELECT e.manifest_id, e.source_uri, e.output_uri, e.bytes, e.sha256, e.fields
FROM manifests m
JOIN manifest_entries e ON e.manifest_id = m.id
WHERE m.dataset = $1 AND m.stage = $2 AND m.id > $3 AND m.id <= $4
ORDER BY e.manifest_id, e.position
