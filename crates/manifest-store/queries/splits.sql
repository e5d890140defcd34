-- splits: a page of dataset $1 after image id $2, at most $3.
SELECT image_id, group_id, split FROM splits
WHERE dataset = $1 AND image_id > $2
ORDER BY image_id
LIMIT $3
