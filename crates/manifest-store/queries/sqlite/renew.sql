-- renew: key $1 to $6, token $7, lease $8 in milliseconds. A lease that ended and was not taken over is still ours.
UPDATE claims SET lease_until = CAST(round(unixepoch('subsec') * 1000) AS INTEGER) + $8
WHERE stage = $1 AND bucket = $2 AND key = $3 AND version = $4 AND dataset = $5 AND policy = $6
  AND state = 'held' AND token = $7
