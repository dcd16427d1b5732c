"""Rows and feedback written without a span: queued like spans, sent to the collector's API."""
