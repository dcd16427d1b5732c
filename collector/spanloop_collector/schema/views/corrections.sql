-- What people said should have come out of a row: the newest correction of each reviewed row.

SELECT
    project,
    source,
    object_id,
    row_id,
    argMax(items.expected, items.version) AS expected,
    argMax(items.reviewed_by, items.version) AS reviewed_by,
    max(items.updated) AS updated
FROM {database}.review_queue AS items
WHERE items.status = 'done' AND items.expected != ''
GROUP BY project, source, object_id, row_id
