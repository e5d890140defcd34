-- bury: what was buried before the oldest of the held claims was made concerns no publication any more. (A claim that
-- is being made at this moment is answered, and followed by uploads, when the object is deleted already.)
DELETE FROM condemned
WHERE buried_at < (SELECT min(claimed_at) FROM claims WHERE state = 'held')
   OR (buried_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM claims WHERE state = 'held'))
