-- publish: new categories of dataset $1, under its lock.
INSERT INTO categories (dataset, id, name, definition)
SELECT $1, c.id, c.name, c.definition FROM unnest($2::bigint[], $3::text[], $4::text[]) AS c (id, name, definition)
