-- forget_superseded: when key $1 to $6 is done, rejections of the same object in other versions, or under other
-- policies, are history: nobody has to look at them any more.
DELETE FROM claims
WHERE stage = $1 AND bucket = $2 AND key = $3 AND dataset = $5 AND state = 'rejected'
  AND NOT (version = $4 AND policy = $6)
