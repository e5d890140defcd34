-- condemn: object $1, if no manifest names it.
INSERT INTO condemned (uri, condemned_at)
SELECT $1, CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE NOT EXISTS (SELECT 1 FROM manifest_entries WHERE output_uri = $1)
  AND NOT EXISTS (SELECT 1 FROM manifests WHERE uri = $1)
ON CONFLICT (uri) DO UPDATE SET condemned_at = excluded.condemned_at, buried_at = NULL
