"""What `spanloop demo` asks about the sample application, in SQL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One thing an owner of an application wants to know."""

    title: str
    """In words."""
    sql: str
    """In SQL."""


QUESTIONS = (
    Question(
        "What did the application do?",
        """
SELECT type, name, count() AS calls,
       round(avg(duration) * 1000, 1) AS ms, countIf(error != '') AS errors
FROM logs
WHERE project = 'demo'
GROUP BY type, name
ORDER BY calls DESC, name
""",
    ),
    Question(
        "What do the models cost?",
        """
SELECT model, count() AS calls,
       sum(metrics['prompt_tokens']) AS prompt_tokens,
       sum(metrics['completion_tokens']) AS completion_tokens,
       round(sum(cost), 6) AS usd
FROM logs
WHERE project = 'demo' AND type = 'llm'
GROUP BY model
""",
    ),
    Question(
        "What went wrong, and for whom?",
        """
SELECT root.metadata['user_id'] AS customer, logs.name AS step,
       logs.error AS error, otel_logs.body AS log_line
FROM logs
LEFT JOIN logs AS root ON root.trace_id = logs.trace_id AND root.is_root
LEFT JOIN otel_logs ON otel_logs.trace_id = logs.trace_id
WHERE logs.project = 'demo' AND logs.error != ''
""",
    ),
    Question(
        "Which answers had no facts to stand on?",
        """
SELECT metadata['user_id'] AS customer,
       JSONExtractString(input, 'question') AS question,
       scores['grounded'] AS grounded
FROM logs
WHERE project = 'demo' AND is_root AND scores['grounded'] < 0.5
ORDER BY created
""",
    ),
    Question(
        "Who asked about a refund?",
        """
SELECT metadata['user_id'] AS customer,
       JSONExtractString(input, 'question') AS question
FROM logs
WHERE project = 'demo' AND is_root AND hasToken(lower(input), 'refund')
""",
    ),
    Question(
        "What happened inside one conversation?",
        """
SELECT if(is_root, name, '  ' || name) AS step, type,
       round(duration * 1000, 1) AS ms, output
FROM logs
WHERE project = 'demo' AND trace_id IN (
    SELECT trace_id FROM traces WHERE project = 'demo' ORDER BY created LIMIT 1
)
ORDER BY created
""",
    ),
)
