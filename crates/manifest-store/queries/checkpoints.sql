-- checkpoints: those of one claim key ($1 to $6).
SELECT name, value FROM checkpoints
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
ORDER BY name
