-- lineage: the edges to the parents of any of $1 (a JSON array of URIs), at most $2.
SELECT parent, child, relation FROM lineage_edges
WHERE child IN (SELECT value FROM json_each($1))
ORDER BY child, parent
LIMIT $2
