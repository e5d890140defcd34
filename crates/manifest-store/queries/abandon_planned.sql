-- plan_version: what is being built of dataset $1 is overtaken.
UPDATE versions SET state = 'abandoned' WHERE dataset = $1 AND state = 'planned'
