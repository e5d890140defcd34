-- annotation_history: every published state of record $2 of dataset $1, latest import first.
SELECT r.import_id, r.record
FROM annotation_records r
JOIN annotation_imports i ON i.dataset = r.dataset AND i.import_id = r.import_id
WHERE r.dataset = $1 AND r.record_id = $2
ORDER BY i.sequence DESC
