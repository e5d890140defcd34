-- publish: every claim of object $1 to $3 in dataset $4.
SELECT version, policy, state, token, claimed_at FROM claims
WHERE stage = $1 AND bucket = $2 AND key = $3 AND dataset = $4
