-- plan_version: the latest published version of dataset $1 and the one being built.
SELECT version, state, input_digest FROM versions
WHERE dataset = $1
  AND (state = 'planned'
       OR version = (SELECT max(version) FROM versions WHERE dataset = $1 AND state = 'published'))
