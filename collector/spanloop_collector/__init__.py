"""The spanloop collector: receive, spool, write, query, score and promote LLM traces."""

__version__ = "0.1.0"
