-- API keys. A secret is kept as its SHA-256 only. Version 1 is the key as made, version 2 its revocation, which is
-- final: the newest version of a key_id is the key.
CREATE TABLE IF NOT EXISTS {database}.api_keys {on_cluster}
(
    key_id String,
    name String,
    project String,
    scopes Array(LowCardinality(String)),
    secret_sha256 String,
    created DateTime64(3, 'UTC'),
    is_revoked Bool,
    version UInt8
)
ENGINE = {replacing}(version)
ORDER BY key_id
