"""What a client of ClickHouse's HTTP interface sent, taken apart."""

from __future__ import annotations

import email.parser
import email.policy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from spanloop_collector.query.compression import decode_start
from spanloop_collector.query.refusal import refuse

MAX_BODY_BYTES = 1024 * 1024
PARAMETER_PREFIX = "param_"

# Consumed here; every other name in the query string is a setting.
OWN_NAMES = frozenset({"query", "database", "default_format", "query_id", "user", "password"})


@dataclass(frozen=True, slots=True)
class SqlRequest:
    """One statement with everything that was sent beside it."""

    sql: str
    """The statement; empty when there is none."""
    parameters: Mapping[str, str]
    """Values of its placeholders, as ClickHouse writes them in text."""
    settings: Mapping[str, str]
    """Settings to run it with."""
    database: str
    """Database whose tables it names; empty for ours."""
    default_format: str
    """Format for a statement that names none; empty for ClickHouse's own default."""
    query_id: str
    """What the client calls this run; made up here when it does not."""


async def read_request(request: Request) -> SqlRequest:
    """The statement and its surroundings, from query string, body and headers."""
    fields = dict(parse_qsl(request.url.query, keep_blank_values=True))
    body = await _read_body(request)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        fields |= _form_fields(body, content_type)
        body = b""
    # As in ClickHouse, what the body holds comes after what the query string holds.
    sql = "\n".join(part for part in (fields.get("query", ""), body.decode(errors="replace")) if part)
    return SqlRequest(
        sql=sql,
        parameters=_parameters(fields),
        settings={name: value for name, value in fields.items() if _is_setting(name)},
        database=fields.get("database") or request.headers.get("x-clickhouse-database", ""),
        default_format=fields.get("default_format") or request.headers.get("x-clickhouse-format", ""),
        query_id=fields.get("query_id") or str(uuid.uuid4()),
    )


async def _read_body(request: Request) -> bytes:
    """The body up to its bound; what is beyond is read and dropped, so that the client hears the answer."""
    kept = bytearray()
    async for chunk in request.stream():
        kept += chunk[: max(0, MAX_BODY_BYTES - len(kept))]
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "identity" or not kept:
        return bytes(kept)
    try:
        return decode_start(bytes(kept), encoding, max_bytes=MAX_BODY_BYTES)
    except ValueError as error:
        raise refuse("BAD_ARGUMENTS", f"content-encoding: {error}") from None


def _parameters(fields: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PARAMETER_PREFIX): value
        for name, value in fields.items()
        if name.startswith(PARAMETER_PREFIX)
    }


def _is_setting(name: str) -> bool:
    return name not in OWN_NAMES and not name.startswith(PARAMETER_PREFIX)


def _form_fields(body: bytes, content_type: str) -> dict[str, str]:
    """The fields of a form. clickhouse-connect sends a long statement or parameter that way."""
    header = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(header + body)
    fields: dict[str, str] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename() is not None:
            raise refuse("ACCESS_DENIED", "external tables are not allowed here")
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content.decode(errors="replace")
    return fields
