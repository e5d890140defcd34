-- rejected: a page of the quarantine of dataset $1 after ($2 stage, $3 bucket, $4 key, $5 version, $6 policy),
-- '' for the first page, at most $7.
SELECT stage, bucket, key, version, policy, attempts, reason_code, reason_detail, updated_at / 1000 AS rejected_at
FROM claims
WHERE dataset = $1 AND state = 'rejected' AND (stage, bucket, key, version, policy) > ($2, $3, $4, $5, $6)
ORDER BY stage, bucket, key, version, policy
LIMIT $7
