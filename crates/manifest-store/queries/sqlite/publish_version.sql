-- publish: version $2 of dataset $1 is complete as manifest $3 with digest $4.
UPDATE versions
SET state = 'published', manifest_uri = $3, manifest_sha256 = $4,
    published_at = CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE dataset = $1 AND version = $2
