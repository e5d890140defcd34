-- publish: when the last of objects $1 (a JSON array of URIs) was buried, the largest number where one is condemned and
-- not buried, NULL where none is condemned.
SELECT max(COALESCE(buried_at, 9223372036854775807)) FROM condemned
WHERE uri IN (SELECT value FROM json_each($1))
