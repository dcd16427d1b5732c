"""Google's Live API: a conversation over one connection, each turn of it a row.

The row's input is all that was sent since the turn before, as contents: what was said piece by piece is put together.
Its output is one candidate with all that came until the turn was complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from spanloop._attachments.find import decode_base64
from spanloop._wrap import genai
from spanloop._wrap.endpoint import Closing, Opening, known, read, split_request
from spanloop._wrap.google_generate import Candidate, usage_of

PARAMETERS = {
    "model": genai.REQUEST_MODEL,
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "seed": "gen_ai.request.seed",
}
MEDIA = ("audio", "video", "mediaChunks", "media_chunks")


class LiveTurn:
    """One turn. Its reply is `{"sent": […], "received": […]}`, the messages as text."""

    operation = "generate_content"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        attributes, metadata = split_request(body, PARAMETERS, ("http_options",))
        return Opening(attributes=attributes, metadata=metadata)

    def read_reply(self, reply: Any) -> Closing:
        received = [json.loads(each) for each in reply["received"]]
        contents = [content for message in received if (content := message.get("serverContent"))]
        usage = next((each["usageMetadata"] for each in reversed(received) if "usageMetadata" in each), None)
        return Closing(
            _output(received, contents),
            known(usage_of(usage, answer="response")),
            known({"input_transcription": _transcribed(contents, "inputTranscription")}),
            input=_input(map(json.loads, reply["sent"])),
        )

    def join(self, events: list[Mapping[str, Any]]) -> Any:
        return events[-1]

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return bool(read(event, "serverContent", "modelTurn", "parts"))


def _input(messages: Iterable[Mapping[str, Any]]) -> list[Any]:
    contents: list[Any] = []
    said = _Parts()
    for message in messages:
        given = message.get("realtime_input") or {}
        if "text" in given:
            said.add({"text": given["text"]})
        for name in MEDIA:
            for blob in given[name] if isinstance(given.get(name), list) else [given.get(name)]:
                if blob:
                    said.add({"inlineData": blob})
        for answer in read(message, "tool_response", "functionResponses") or ():
            said.add({"functionResponse": answer})
        contents += read(message, "client_content", "turns") or ()
    return [*contents, {"role": "user", "parts": said.whole()}] if said.whole() else contents


def _output(received: list[Any], contents: list[Any]) -> list[Any]:
    candidate = Candidate()
    parts = _Parts()
    for message in received:
        turn = read(message, "serverContent", "modelTurn") or {}
        for part in turn.get("parts") or ():
            parts.add(part)
        for call in read(message, "toolCall", "functionCalls") or ():
            parts.add({"functionCall": call})
    for part in parts.whole():
        candidate.add({"content": {"role": "model", "parts": [part]}})
    ends = known(
        {
            "outputTranscription": _transcribed(contents, "outputTranscription"),
            "interrupted": any(each.get("interrupted") for each in contents) or None,
            "turnCompleteReason": next(
                (each["turnCompleteReason"] for each in contents if "turnCompleteReason" in each), None
            ),
        }
    )
    return [{**candidate.whole(), **ends}]


def _transcribed(contents: list[Any], name: str) -> str | None:
    return "".join(read(each, name, "text") or "" for each in contents) or None


class _Parts:
    """Parts of a content; bytes of one kind that follow each other are one part."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []

    def add(self, part: Mapping[str, Any]) -> None:
        blob = part.get("inlineData")
        if not isinstance(blob, Mapping):
            self._parts.append(dict(part))
            return
        data = decode_base64(blob.get("data") or "") or b""  # the client writes the alphabet for URLs
        kind = blob.get("mimeType") or blob.get("mime_type")
        last = self._parts[-1].get("inlineData") if self._parts else None
        if last is not None and last["mimeType"] == kind:
            last["data"].append(data)
        else:
            self._parts.append({**part, "inlineData": {"mimeType": kind, "data": [data]}})

    def whole(self) -> list[dict[str, Any]]:
        return [
            {**part, "inlineData": {**part["inlineData"], "data": b"".join(part["inlineData"]["data"])}}
            if "inlineData" in part
            else part
            for part in self._parts
        ]
