-- plan_version: the shards of version $2 of dataset $1.
INSERT INTO version_shards (dataset, version, variant, split, number, samples)
SELECT $1, $2, s.*
FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) AS s (variant, split, number, samples)
