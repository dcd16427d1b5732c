"""Online scoring: rows of production that match a rule are queued, scored by workers, and scored rows are rows.

write ─▶ trigger ─▶ scoring_queue ─▶ dispatcher ─▶ workers ─▶ results ─▶ online_scores, the row, a score span
            ▲                                         (other processes, over the API)
          rules                         backfill ─▶ scoring_queue
"""
