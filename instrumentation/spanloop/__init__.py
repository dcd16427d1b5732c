"""spanloop: trace LLM applications and close the loop from production to evals.

import spanloop

spanloop.init("support-bot")

@spanloop.traced
def answer(question: str) -> str: ...

The way of a span through these files, which `_setup` puts together:

_traced, _generators, _wrap/    a call begins and ends it
_otel_span, _own_span           starts it below the one that `_context` knows as current
_span, _fields, _json           what is logged becomes its attributes
_processor, _sampling           adds what the block around says; keeps it or not
_outbox: _queue, _sender        it waits, and goes with others until the collector has it
_encode: _mask, _wire           what leaves the process, as bytes
_transport/                     over gRPC or HTTP
"""

from spanloop._attachments.objects import Attachment, ExternalAttachment, JSONAttachment, ReadonlyAttachment
from spanloop._block import context
from spanloop._feedback import log_feedback
from spanloop._logger import Logger, init_logger
from spanloop._logs import logging_handler
from spanloop._outbox import Stats
from spanloop._provider import tracer_provider
from spanloop._runtime import flush, init, shutdown, stats
from spanloop._span import NOOP_SPAN, Span, current_span, start_span
from spanloop._threads import TracedThreadPoolExecutor
from spanloop._traced import traced
from spanloop._version import __version__
from spanloop._wrap.anthropic import wrap_anthropic
from spanloop._wrap.auto import auto_instrument
from spanloop._wrap.google_genai import wrap_google_genai
from spanloop._wrap.litellm import wrap_litellm
from spanloop._wrap.openai import wrap_openai
from spanloop.datasets import Dataset, init_dataset, promote, promote_job
from spanloop.eval import (
    BaseExperiment,
    Eval,
    EvalAsync,
    EvalCase,
    EvalHooks,
    EvalResult,
    EvalResultWithSummary,
    Experiment,
    ExperimentSummary,
    MetricSummary,
    ReadonlyExperiment,
    Reporter,
    Score,
    ScoreSummary,
    current_experiment,
    init_experiment,
)
from spanloop.inference import inference_step

__all__ = [
    "NOOP_SPAN",
    "Attachment",
    "BaseExperiment",
    "Dataset",
    "Eval",
    "EvalAsync",
    "EvalCase",
    "EvalHooks",
    "EvalResult",
    "EvalResultWithSummary",
    "Experiment",
    "ExperimentSummary",
    "ExternalAttachment",
    "JSONAttachment",
    "Logger",
    "MetricSummary",
    "ReadonlyAttachment",
    "ReadonlyExperiment",
    "Reporter",
    "Score",
    "ScoreSummary",
    "Span",
    "Stats",
    "TracedThreadPoolExecutor",
    "__version__",
    "auto_instrument",
    "context",
    "current_experiment",
    "current_span",
    "flush",
    "inference_step",
    "init",
    "init_dataset",
    "init_experiment",
    "init_logger",
    "log_feedback",
    "logging_handler",
    "promote",
    "promote_job",
    "shutdown",
    "start_span",
    "stats",
    "traced",
    "tracer_provider",
    "wrap_anthropic",
    "wrap_google_genai",
    "wrap_litellm",
    "wrap_openai",
]
