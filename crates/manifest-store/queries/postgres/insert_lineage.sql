-- publish: edges; those that are there stay. In key order, so that publications with common edges cannot deadlock.
INSERT INTO lineage_edges (parent, child, relation)
SELECT e.parent, e.child, e.relation
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS e (parent, child, relation, place)
ORDER BY e.parent COLLATE "C", e.child COLLATE "C", e.place
ON CONFLICT DO NOTHING
