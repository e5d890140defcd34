-- ensure_dataset, claim: datasets $1 that are not there yet. Looking first keeps the usual case free of writes.
INSERT INTO datasets (name)
SELECT DISTINCT wanted.name COLLATE "C" AS name FROM unnest($1::text[]) AS wanted (name)
WHERE NOT EXISTS (SELECT 1 FROM datasets d WHERE d.name = wanted.name)
ORDER BY name
ON CONFLICT DO NOTHING
