-- Results of backfills are counted apart. A call that gives several scores replaces an earlier failure by a line
-- of its own, since it has none under the scorer's name.
ALTER TABLE {database}.online_scores {on_cluster} ADD COLUMN IF NOT EXISTS backfill LowCardinality(String);
ALTER TABLE {database}.online_scores {on_cluster} MODIFY COLUMN status Enum8('scored' = 1, 'skipped' = 2, 'failed' = 3, 'replaced' = 4)
