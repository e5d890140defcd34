-- plan_version: one planner of dataset $1 at a time.
SELECT 1 FROM datasets WHERE name = $1 FOR NO KEY UPDATE
