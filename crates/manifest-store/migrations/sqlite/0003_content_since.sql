-- Nothing reads since when an original has its content: a later claim of another version decides (claims.claimed_at).

ALTER TABLE originals DROP COLUMN content_since;

-- claims.created_at is again what it was at first: when it was first claimed. Of claims that have the largest number
-- that is not known any more.
UPDATE claims SET created_at = claimed_at WHERE created_at = 9223372036854775807;
