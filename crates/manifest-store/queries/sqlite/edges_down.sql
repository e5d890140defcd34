-- lineage: the edges to the children of any of $1 (a JSON array of URIs), at most $2.
SELECT parent, child, relation FROM lineage_edges
WHERE parent IN (SELECT value FROM json_each($1))
ORDER BY parent, child
LIMIT $2
