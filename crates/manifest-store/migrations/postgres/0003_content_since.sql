-- Nothing reads since when an original has its content: a later claim of another version decides (claims.claimed_at).

-- Setting created_at right reads the whole of a table.
SET LOCAL statement_timeout = 0;

ALTER TABLE originals DROP COLUMN content_since;

-- claims.created_at is again what it was at first: when it was first claimed. Of claims that say 'infinity' that is
-- not known any more.
UPDATE claims SET created_at = claimed_at WHERE NOT isfinite(created_at);
