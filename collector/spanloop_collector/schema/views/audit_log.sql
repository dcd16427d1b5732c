-- One row per change to a review, an alert or a variant: who did what, when, and what it changed.
-- `changed` is a JSON object of field → [before, after].

SELECT project, time, actor, action, kind, id, version, comment, changed, key_id
FROM {database}.changes
