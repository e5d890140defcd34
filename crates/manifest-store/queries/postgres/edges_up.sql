-- lineage: the edges to the parents of any of $1, at most $2.
SELECT parent, child, relation FROM lineage_edges
WHERE child = ANY ($1)
ORDER BY child, parent
LIMIT $2
