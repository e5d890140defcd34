-- bury: objects $1 (array) are deleted. One that was buried before stays so.
UPDATE condemned SET buried_at = clock_timestamp() WHERE uri = ANY ($1::text[]) AND buried_at IS NULL
