"""AttachmentService: what is stored, and the sweep of what no row refers to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import islice

from spanloop.v1 import attachments_pb2

from spanloop_collector.api.operations import Call
from spanloop_collector.attachments import Attachment, Attachments
from spanloop_collector.attachments.sweep import sweep
from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.store import Store

LISTED = 1000
MAX_LISTED = 100_000
KEPT_SECONDS = 7 * 24 * 3600
LEAST_KEPT_SECONDS = 24 * 3600


class AttachmentOperations:
    """The operations of AttachmentService."""

    def __init__(self, attachments: Attachments, store: Store) -> None:
        self._attachments = attachments
        self._store = store

    async def list_attachments(
        self, request: attachments_pb2.ListAttachmentsRequest, call: Call
    ) -> attachments_pb2.ListAttachmentsResponse:
        """The first attachments of a project, or of all."""
        project = call.project(request.project)
        limit = request.limit or LISTED
        if not 0 < limit <= MAX_LISTED:
            raise InvalidRequestError(f"limit: {limit} is not from 1 to {MAX_LISTED}", field="limit")
        found = await asyncio.to_thread(lambda: list(islice(self._attachments.all_of(project), limit)))
        return attachments_pb2.ListAttachmentsResponse(attachments=[_message(each) for each in found])

    async def sweep_attachments(
        self, request: attachments_pb2.SweepAttachmentsRequest, call: Call
    ) -> attachments_pb2.SweepAttachmentsResponse:
        """Removes what no row refers to any more."""
        seconds = request.older_than_seconds or KEPT_SECONDS
        if seconds < LEAST_KEPT_SECONDS:
            raise InvalidRequestError(
                f"older_than_seconds: {seconds} is less than a day ({LEAST_KEPT_SECONDS}); rows that refer to younger "
                "attachments may still be on their way",
                field="older_than_seconds",
            )
        swept = await asyncio.to_thread(
            sweep,
            self._attachments,
            self._store,
            project=call.project(request.project),
            older_than_seconds=seconds,
            dry_run=request.dry_run,
        )
        return attachments_pb2.SweepAttachmentsResponse(
            examined=swept.examined, removed=swept.removed, removed_bytes=swept.removed_bytes
        )


def _message(attachment: Attachment) -> attachments_pb2.Attachment:
    return attachments_pb2.Attachment(
        key=attachment.key,
        project=attachment.project,
        size=attachment.size,
        content_type=attachment.content_type,
        filename=attachment.filename,
        created=datetime.fromtimestamp(attachment.created, UTC).isoformat(timespec="seconds"),
    )
