-- bury: object $1 is deleted. One that was buried before stays so.
UPDATE condemned SET buried_at = CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE uri = $1 AND buried_at IS NULL
