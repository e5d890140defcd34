-- publish: the state of version $2 of dataset $1 and the digest of its manifest.
SELECT state, manifest_sha256 FROM versions WHERE dataset = $1 AND version = $2
