-- A part as large as an insert is one file, not one for every stream of every column: that is a sixth of what storing a
-- span costs. Merges make parts above this size, and those are what queries over history read.
ALTER TABLE {database}.spans {on_cluster} MODIFY SETTING min_bytes_for_wide_part = 134217728;
