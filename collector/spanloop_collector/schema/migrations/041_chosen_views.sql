-- The saved view that a page opens with for one key; an empty view_id says that there is none any more.
CREATE TABLE IF NOT EXISTS {database}.chosen_views {on_cluster}
(
    project String,
    page LowCardinality(String),
    key_id String,
    view_id String,
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY (project, page, key_id)
