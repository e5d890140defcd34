-- claim, statuses: where keys $1 to $6 (arrays) stand, by their place in the arrays; none for what nobody has claimed.
SELECT k.place,
       CASE WHEN c.state IN ('held', 'waiting') AND t.until <= clock_timestamp() THEN 'free' ELSE c.state END AS state,
       COALESCE(ceil(greatest(extract(epoch FROM t.until - clock_timestamp()), 0) * 1000), 0)::bigint AS retry_in_ms,
       c.reason_code, c.reason_detail
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
     WITH ORDINALITY AS k (stage, bucket, key, version, dataset, policy, place)
JOIN claims c USING (stage, bucket, key, version, dataset, policy)
CROSS JOIN LATERAL (
    SELECT CASE c.state WHEN 'held' THEN c.lease_until WHEN 'waiting' THEN c.not_before END AS until
) AS t
