-- processed: every version of object ($2 bucket, $3 key) that stage $1 knows, newest claim first.
SELECT c.dataset, c.version, c.policy, c.attempts,
       CASE WHEN c.state IN ('held', 'waiting') AND t.until <= clock_timestamp() THEN 'free' ELSE c.state END AS state,
       COALESCE(ceil(greatest(extract(epoch FROM t.until - clock_timestamp()), 0) * 1000), 0)::bigint AS retry_in_ms,
       c.reason_code, c.reason_detail
FROM claims c
CROSS JOIN LATERAL (
    SELECT CASE c.state WHEN 'held' THEN c.lease_until WHEN 'waiting' THEN c.not_before END AS until
) AS t
WHERE c.stage = $1 AND c.bucket = $2 AND c.key = $3
ORDER BY c.claimed_at DESC, c.dataset, c.version, c.policy
