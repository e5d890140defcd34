-- set_policy: $1 dataset, $2 hash, $3 canonical form.
INSERT INTO datasets (name, policy_hash, policy) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET policy_hash = excluded.policy_hash, policy = excluded.policy
