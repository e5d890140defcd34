-- annotation_imports: a page of dataset $1 after sequence $2, at most $3.
SELECT sequence, active, import, floor(extract(epoch FROM imported_at))::bigint AS imported_at
FROM annotation_imports
WHERE dataset = $1 AND sequence > $2
ORDER BY sequence
LIMIT $3
