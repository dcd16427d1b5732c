"""The attribute names that spanloop writes on spans: the contract between SDK and collector.

Values are JSON text unless a comment says otherwise. LLM calls carry the `gen_ai.*` names of
OpenTelemetry's conventions beside them.
"""

from __future__ import annotations

PROJECT = "spanloop.project"  # resource attribute, plain string

INPUT = "spanloop.input"
OUTPUT = "spanloop.output"
EXPECTED = "spanloop.expected"
METADATA = "spanloop.metadata"  # object
METRICS = "spanloop.metrics"  # object: name to number
SCORES = "spanloop.scores"  # object: name to a number from 0 to 1
TAGS = "spanloop.tags"  # array of strings, not JSON
TYPE = "spanloop.type"  # plain string: llm, task, tool, function, score, eval, …
ERROR = "spanloop.error"  # plain string
SAMPLE_RATE = "spanloop.sample_rate"  # number: the part of traces that is sent, where not all are

EXPERIMENT_ID = "spanloop.experiment_id"  # plain string: the experiment whose row this is
PURPOSE = "spanloop.purpose"  # plain string: `scorer` on what scorers do, which is no part of what is measured
ORIGIN = "spanloop.origin"  # object: the row that this one was copied from

SESSION_ID = "session_id"  # keys of METADATA that `spanloop.context` fills
USER_ID = "user_id"
