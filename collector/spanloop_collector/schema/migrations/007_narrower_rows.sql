-- Rows do not say twice what they say: `id` is '' where it is that of the span, and `metrics` is without start and end.
-- The view `logs` adds both, and the index follows what it says.
ALTER TABLE {database}.spans {on_cluster} DROP INDEX IF EXISTS by_id;
ALTER TABLE {database}.spans {on_cluster}
    ADD INDEX IF NOT EXISTS by_id if(empty(id), span_id, id) TYPE bloom_filter(0.01);

-- What `traces` finds the spans of its traces by: a number is read several times faster than the id it stands for.
ALTER TABLE {database}.spans {on_cluster} ADD COLUMN IF NOT EXISTS trace_hash UInt64 MATERIALIZED cityHash64(trace_id);
