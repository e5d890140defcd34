-- lineage: the edges to the children of any of $1, at most $2.
SELECT parent, child, relation FROM lineage_edges
WHERE parent = ANY ($1)
ORDER BY parent, child
LIMIT $2
