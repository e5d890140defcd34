-- free_expired: claims of stage $1 whose lease ended more than $2 milliseconds ago.
UPDATE claims
SET state = 'free', owner = NULL, lease_until = NULL,
    updated_at = CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE state = 'held' AND stage = $1
  AND lease_until < CAST(round(unixepoch('subsec') * 1000) AS INTEGER) - $2
