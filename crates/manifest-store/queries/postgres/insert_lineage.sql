-- publish: edges; those that are there stay. In key order, so that publications with common edges cannot deadlock.
INSERT INTO lineage_edges (parent, child, relation)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS e (parent, child, relation)
ORDER BY e.parent COLLATE "C", e.child COLLATE "C"
ON CONFLICT DO NOTHING
