"""Online scoring: rows of production that match a rule are queued, scored by workers, and scored rows are rows.

write ─▶ trigger ─▶ scoring_queue ─▶ dispatcher ─▶ workers ─▶ results ─▶ online_scores, the row, a score span
            ▲                                         (other processes, over the API)
          rules                         backfill ─▶ scoring_queue

To be read in this order:

rule         rule, rule_input, condition, rulebook; trial says what one would do
trigger      trigger looks at what was stored (received), with SQL made by matching, as pace allows
queue        queue_reader, intake (known_tasks, idle: traces and groups, line), slots (whose tasks), backfill/ (past)
handing out  dispatcher, leases, limits (rates, spending, under_way), attendance, scored_rows, worker_api
worker       work/: worker, pool, child_process; own_workers starts them, scorer_trials asks without storing
result       outcome, result_rows, results
"""
