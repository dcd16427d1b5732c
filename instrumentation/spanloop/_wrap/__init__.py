"""Wrappers around providers' clients: each call becomes a span of type llm."""
