-- plan_version: the next version of dataset $1 ($2 input digest, $3 settings).
INSERT INTO versions (dataset, version, state, input_digest, settings)
SELECT $1, COALESCE(max(version), 0) + 1, 'planned', $2, $3 FROM versions WHERE dataset = $1
RETURNING version
