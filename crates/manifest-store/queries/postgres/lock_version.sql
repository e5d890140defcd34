-- publish: holds version $2 of dataset $1 as it is until the transaction ends; a planner that would overtake it waits.
SELECT 1 FROM versions WHERE dataset = $1 AND version = $2 FOR NO KEY UPDATE
