-- datasets, dataset: every dataset by name, or only the one named $1.
SELECT d.name, d.policy_hash, d.policy,
       (SELECT count(*) FROM originals o WHERE o.dataset = d.name) AS originals,
       (SELECT count(*) FROM (SELECT DISTINCT o.image_id FROM originals o WHERE o.dataset = d.name) AS i) AS images,
       (SELECT count(*) FROM claims c WHERE c.dataset = d.name AND c.state = 'rejected') AS rejected,
       (SELECT max(v.version) FROM versions v WHERE v.dataset = d.name AND v.state = 'published') AS latest
FROM datasets d
WHERE CAST($1 AS text) IS NULL OR d.name = $1
ORDER BY d.name
