"""Saved views of the web page, shared by everyone who sees their project."""

from __future__ import annotations

from spanloop_collector.store import Store
from spanloop_collector.views.operations import ViewOperations
from spanloop_collector.views.table import ViewTable

__all__ = ["ViewOperations", "ViewTable", "view_operations"]


def view_operations(store: Store, *, default_project: str) -> ViewOperations:
    """ViewService."""
    return ViewOperations(ViewTable(store), default_project=default_project)
