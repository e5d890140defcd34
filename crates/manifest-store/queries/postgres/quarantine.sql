-- quarantine: key $1 to $6, token $7, $8 reason code, $9 reason detail.
UPDATE claims
SET state = 'rejected', owner = NULL, lease_until = NULL, reason_code = $8, reason_detail = $9,
    updated_at = clock_timestamp()
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
  AND state = 'held' AND token = $7
