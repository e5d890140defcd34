-- annotations: a page of the records of dataset $1 that count, after record $2, at most $3. Of one record in several
-- active imports the one that was changed last, else that of the latest import.
SELECT r.import_id, r.record
FROM annotation_records r
JOIN annotation_imports i ON i.dataset = r.dataset AND i.import_id = r.import_id
WHERE r.dataset = $1 AND r.record_id > $2 AND i.active
  AND NOT EXISTS (SELECT 1
                  FROM annotation_records n
                  JOIN annotation_imports m ON m.dataset = n.dataset AND m.import_id = n.import_id
                  WHERE n.dataset = r.dataset AND n.record_id = r.record_id AND m.active
                    AND (n.changed_at, m.sequence) > (r.changed_at, i.sequence))
ORDER BY r.record_id
LIMIT $3
