-- Saved views of the web page; the newest version of an id is the view.
CREATE TABLE IF NOT EXISTS {database}.saved_views {on_cluster}
(
    project String,
    id String,
    page LowCardinality(String),
    name String,
    definition String,
    is_default Bool,
    is_deleted Bool,
    created DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY (project, id)
