-- freeze_splits: of dataset $1; images that have a place keep it.
INSERT INTO splits (dataset, image_id, group_id, split)
SELECT $1, s.* FROM unnest($2::bytea[], $3::bytea[], $4::bigint[]) AS s (image_id, group_id, split)
ORDER BY s.image_id
ON CONFLICT DO NOTHING
