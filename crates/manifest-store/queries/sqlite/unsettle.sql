-- publish: key $1 to $6 was settled, but another version or policy of its object is done now. Work on it begins anew
-- with the next claim.
UPDATE claims
SET state = 'free', attempts = 0, last_error = NULL, reason_code = NULL, reason_detail = NULL,
    updated_at = CAST(round(unixepoch('subsec') * 1000) AS INTEGER)
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
