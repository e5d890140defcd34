-- claim, statuses: where one key ($1 to $6) stands.
SELECT CASE WHEN state IN ('held', 'waiting') AND t.until <= t.now THEN 'free' ELSE state END AS state,
       max(t.until - t.now, 0) AS retry_in_ms, reason_code, reason_detail
FROM (SELECT state, reason_code, reason_detail,
             CASE state WHEN 'held' THEN lease_until WHEN 'waiting' THEN not_before ELSE 0 END AS until,
             CAST(round(unixepoch('subsec') * 1000) AS INTEGER) AS now
      FROM claims
      WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6) AS t
