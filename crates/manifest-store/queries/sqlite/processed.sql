-- processed: every version of object ($2 bucket, $3 key) that stage $1 knows, newest claim first.
SELECT dataset, version, policy, attempts,
       CASE WHEN state IN ('held', 'waiting') AND t.until <= t.now THEN 'free' ELSE state END AS state,
       max(t.until - t.now, 0) AS retry_in_ms, reason_code, reason_detail
FROM (SELECT dataset, version, policy, attempts, state, reason_code, reason_detail, claimed_at,
             CASE state WHEN 'held' THEN lease_until WHEN 'waiting' THEN not_before ELSE 0 END AS until,
             CAST(round(unixepoch('subsec') * 1000) AS INTEGER) AS now
      FROM claims
      WHERE stage = $1 AND bucket = $2 AND key = $3) AS t
ORDER BY claimed_at DESC, dataset, version, policy
