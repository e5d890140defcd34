-- annotation_imports: a page of dataset $1 after sequence $2, at most $3.
SELECT sequence, active, import, imported_at / 1000 AS imported_at
FROM annotation_imports
WHERE dataset = $1 AND sequence > $2
ORDER BY sequence
LIMIT $3
