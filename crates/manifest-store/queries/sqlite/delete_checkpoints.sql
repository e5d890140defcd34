-- publish: partial progress of work that is done, or begins anew, is of no more use ($1 to $6: the claim key).
DELETE FROM checkpoints
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
