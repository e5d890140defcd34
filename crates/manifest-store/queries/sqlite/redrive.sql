-- redrive: the quarantine of dataset $1, all of it or that with reason $2.
UPDATE claims
SET state = 'free', attempts = 0, reason_code = NULL, reason_detail = NULL, last_error = NULL,
    updated_at = CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE dataset = $1 AND state = 'rejected' AND ($2 IS NULL OR reason_code = $2)
