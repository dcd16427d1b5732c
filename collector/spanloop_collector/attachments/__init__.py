"""Images, audio, documents and other bytes that rows refer to instead of carrying them.

An attachment's key is the SHA-256 of its bytes, so the same bytes are stored once for each project.
"""

from __future__ import annotations

from spanloop_collector.attachments.attachment import Attachment
from spanloop_collector.attachments.keeper import Attachments, open_attachments

__all__ = ["Attachment", "Attachments", "open_attachments"]
