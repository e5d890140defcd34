-- link_annotations: one link of dataset $1. Planning finds the same ones again and again: those are not written.
INSERT INTO annotation_links AS known (dataset, record_id, image_key, image_uri, staged_path)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (dataset, record_id) DO UPDATE
SET image_key = excluded.image_key, image_uri = excluded.image_uri, staged_path = excluded.staged_path
WHERE (known.image_key, known.image_uri, known.staged_path)
      IS NOT (excluded.image_key, excluded.image_uri, excluded.staged_path)
