"""OpenAI's operations without a conversation: embeddings, images, audio, moderation.

What a model makes of them is large and binary; the row refers to it, or says how much of it there was.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from spanloop._fields import UNSET
from spanloop._wrap import genai
from spanloop._wrap.binary import are_kept
from spanloop._wrap.endpoint import Closing, Opening, known, read, split_request

PARAMETERS = {"model": genai.REQUEST_MODEL, "stream": genai.REQUEST_STREAM, "temperature": "gen_ai.request.temperature"}
FILE_FIELDS = ("file", "image", "mask")


class _Plain:
    """An operation whose request has one interesting field, beside files, and whose reply comes in one piece."""

    operation = ""
    field = "input"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        attributes, metadata = split_request(body, PARAMETERS, (self.field, *FILE_FIELDS))
        files = {name: body[name] for name in FILE_FIELDS if name in body}
        if files:
            return Opening(known({self.field: body.get(self.field), **files}), attributes, metadata)
        return Opening(body.get(self.field, UNSET), attributes, metadata)

    def read_reply(self, reply: Any) -> Closing:
        return Closing(self.output(reply), known({genai.RESPONSE_MODEL: read(reply, "model"), **self.usage(reply)}))

    def output(self, reply: Any) -> object:
        raise NotImplementedError

    def usage(self, reply: Any) -> dict[str, Any]:
        usage = read(reply, "usage")
        return {
            genai.INPUT_TOKENS: read(usage, "input_tokens") or read(usage, "prompt_tokens"),
            genai.OUTPUT_TOKENS: read(usage, "output_tokens"),
        }

    def join(self, events: list[Mapping[str, Any]]) -> Any:
        """The last event of these streams sums up what came before."""
        return events[-1]

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return True


class Embeddings(_Plain):
    """`POST /embeddings`: how many vectors of what length, not the vectors."""

    operation = "embeddings"

    def output(self, reply: Any) -> object:
        vectors = read(reply, "data") or []
        first = read(vectors[0], "embedding") if vectors else None
        return known({"embeddings": len(vectors), "dimensions": _dimensions(first)})


def _dimensions(vector: Any) -> int | None:
    """Length of a vector, which may be the base64 text of 32-bit numbers."""
    if isinstance(vector, str):
        return len(base64.b64decode(vector)) // 4
    return len(vector) if vector is not None else None


class Images(_Plain):
    """`POST /images/generations` and `/images/edits`: addresses of the images, or their size."""

    operation = "image_generation"
    field = "prompt"

    def output(self, reply: Any) -> object:
        images = read(reply, "data")
        return [_image(each) for each in images] if images is not None else _image(reply)


def _image(image: Any) -> dict[str, Any]:
    data = read(image, "b64_json")
    return known(
        {
            "url": read(image, "url"),
            "revised_prompt": read(image, "revised_prompt"),
            **({"b64_json": data} if are_kept(len(data or "")) else {"base64_chars": len(data) if data else None}),
        }
    )


class Speech(_Plain):
    """`POST /audio/speech`: text in, sound out."""

    operation = "speech"

    def output(self, reply: Any) -> object:
        return known({name: read(reply, name) for name in ("content_type", "bytes", "data")})


class Transcriptions(_Plain):
    """`POST /audio/transcriptions` and `/audio/translations`: sound in, text out."""

    operation = "transcription"
    field = "prompt"

    def output(self, reply: Any) -> object:
        return reply if isinstance(reply, str) else read(reply, "text")


class Moderations(_Plain):
    """`POST /moderations`."""

    operation = "moderation"

    def output(self, reply: Any) -> object:
        return read(reply, "results")
