-- publish: every claim of objects $1 to $4 (arrays), by their place in the arrays. Asked after lock_objects, with a
-- snapshot of its own: the one of the statement that waited for the locks may be older than what it waited for.
SELECT o.place, c.version, c.policy, c.state, c.token,
       (extract(epoch FROM c.claimed_at) * 1000000)::bigint AS claimed_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS o (stage, bucket, key, dataset, place)
JOIN claims c USING (stage, bucket, key, dataset)
