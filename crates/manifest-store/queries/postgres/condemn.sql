-- condemn: those of objects $1 (array) that no manifest names. Answers them. No publication is under way: the
-- transaction has locked them out before this statement's snapshot.
INSERT INTO condemned (uri, condemned_at)
SELECT w.uri, clock_timestamp()
FROM (SELECT DISTINCT uri COLLATE "C" AS uri FROM unnest($1::text[]) AS u (uri)) AS w
WHERE NOT EXISTS (SELECT 1 FROM manifest_entries e WHERE e.output_uri = w.uri COLLATE "default")
  AND NOT EXISTS (SELECT 1 FROM manifests m WHERE m.uri = w.uri COLLATE "default")
ORDER BY w.uri
ON CONFLICT (uri) DO UPDATE SET condemned_at = excluded.condemned_at, buried_at = NULL
RETURNING uri
