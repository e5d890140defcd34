-- categories, publish: those of dataset $1.
SELECT id, definition FROM categories WHERE dataset = $1 ORDER BY id
