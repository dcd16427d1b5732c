"""Gemini's operations: generating content, embedding it, and Imagen's images.

The row's input is the list of contents as sent, after the system instruction as a content of its own; its output is
the list of candidates as received.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spanloop._wrap import genai
from spanloop._wrap.endpoint import Closing, Opening, known, read, split_request

CONFIG = "generationConfig"
PARAMETERS = {
    "model": genai.REQUEST_MODEL,
    "stream": genai.REQUEST_STREAM,
    "temperature": "gen_ai.request.temperature",
    "topP": "gen_ai.request.top_p",
    "topK": "gen_ai.request.top_k",
    "maxOutputTokens": "gen_ai.request.max_tokens",
    "frequencyPenalty": "gen_ai.request.frequency_penalty",
    "presencePenalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "candidateCount": "gen_ai.request.choice.count",
}
SYSTEM = ("systemInstruction", "system_instruction")
AUDIO = "AUDIO"


class GenerateContent:
    """`models/…:generateContent` and `:streamGenerateContent`."""

    operation = "generate_content"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        attributes, metadata = split_request(
            {**body, **(body.get(CONFIG) or {})}, PARAMETERS, ("contents", CONFIG, *SYSTEM)
        )
        contents = body.get("contents")
        system = next((body[name] for name in SYSTEM if body.get(name)), None)
        if system is not None and isinstance(contents, list):
            contents = [{"role": "system", "parts": read(system, "parts")}, *contents]
        return Opening(contents, attributes, metadata)

    def read_reply(self, reply: Any) -> Closing:
        return Closing(
            read(reply, "candidates"),
            known(
                {
                    genai.RESPONSE_ID: read(reply, "responseId"),
                    genai.RESPONSE_MODEL: read(reply, "modelVersion"),
                    **usage_of(read(reply, "usageMetadata")),
                }
            ),
            known({"block_reason": read(reply, "promptFeedback", "blockReason")}),
        )

    def join(self, events: list[Mapping[str, Any]]) -> dict[str, Any]:
        reply: dict[str, Any] = {}
        candidates: dict[int, Candidate] = {}
        for event in events:
            for candidate in event.get("candidates") or ():
                candidates.setdefault(candidate.get("index", 0), Candidate()).add(candidate)
            reply |= known(event)  # the last usage counts everything before it
        return {**reply, "candidates": [candidates[index].whole() for index in sorted(candidates)]}

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return any(read(candidate, "content", "parts") for candidate in event.get("candidates") or ())


class Candidate:
    """One answer, which arrives as parts; texts of one kind that follow each other are one part."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._content: dict[str, Any] = {}
        self._parts: list[dict[str, Any]] = []

    def add(self, piece: Mapping[str, Any]) -> None:
        content = piece.get("content") or {}
        self._fields |= known(piece)
        self._content |= known(content)
        for part in content.get("parts") or ():
            if self._parts and _continues(self._parts[-1], part):
                self._parts[-1] = {**self._parts[-1], **part, "text": self._parts[-1]["text"] + part["text"]}
            else:
                self._parts.append(dict(part))

    def whole(self) -> dict[str, Any]:
        return {**self._fields, "content": {**self._content, "parts": self._parts}}


def _continues(last: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    are_texts = isinstance(last.get("text"), str) and isinstance(part.get("text"), str)
    return are_texts and bool(last.get("thought")) == bool(part.get("thought")) and "thoughtSignature" not in last


def usage_of(usage: Any, *, answer: str = "candidates") -> dict[str, Any]:
    """Token counts. The provider counts thoughts and the results of its own tools apart from the totals."""
    prompt, thoughts = read(usage, "promptTokenCount"), read(usage, "thoughtsTokenCount")
    return {
        genai.INPUT_TOKENS: _sum(prompt, read(usage, "toolUsePromptTokenCount")),
        genai.OUTPUT_TOKENS: _sum(read(usage, f"{answer}TokenCount"), thoughts),
        genai.CACHE_READ_TOKENS: read(usage, "cachedContentTokenCount"),
        genai.REASONING_TOKENS: thoughts,
        genai.AUDIO_INPUT_TOKENS: _of_modality(read(usage, "promptTokensDetails")),
        genai.AUDIO_OUTPUT_TOKENS: _of_modality(read(usage, f"{answer}TokensDetails")),
    }


def _sum(*counts: int | None) -> int | None:
    found = [count for count in counts if count is not None]
    return sum(found) if found else None


def _of_modality(details: Any) -> int | None:
    """How many of the tokens are sound."""
    return sum(read(each, "tokenCount") or 0 for each in details or () if read(each, "modality") == AUDIO) or None


class Embed:
    """`:batchEmbedContents`, `:embedContent` and Vertex's `:predict`: how many vectors of what length."""

    operation = "embeddings"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        requests = body.get("requests") or body.get("instances") or [body]
        attributes, metadata = split_request(body, PARAMETERS, ("requests", "instances", "content"))
        shared = known({name: read(requests[0], name) for name in ("taskType", "outputDimensionality")})
        return Opening([_embedded(read(each, "content")) for each in requests], attributes, {**shared, **metadata})

    def read_reply(self, reply: Any) -> Closing:
        found = _embeddings(reply)
        vectors = [read(each, "values") for each in found]
        counts = [read(each, "statistics", "token_count") for each in found]
        billed = read(reply, "usageMetadata", "promptTokenCount")
        return Closing(
            known({"embeddings": len(vectors), "dimensions": len(vectors[0]) if vectors and vectors[0] else None}),
            known({genai.INPUT_TOKENS: billed if billed is not None else _sum(*counts)}),
        )

    def join(self, events: list[Mapping[str, Any]]) -> Any:
        return events[-1]

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return False


def _embedded(content: Any) -> Any:
    """A content as what it says, if that is one text."""
    parts = read(content, "parts")
    return parts[0]["text"] if parts and len(parts) == 1 and set(parts[0]) == {"text"} else content


def _embeddings(reply: Any) -> list[Any]:
    if read(reply, "embedding") is not None:
        return [read(reply, "embedding")]
    if read(reply, "predictions") is not None:
        return [read(each, "embeddings") for each in read(reply, "predictions")]
    return read(reply, "embeddings") or []


class Predict:
    """`:predict`, by which Imagen's images are made: how large they are, not the images."""

    operation = "image_generation"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        attributes, metadata = split_request(body, PARAMETERS, ("instances",))
        prompts = [read(each, "prompt") for each in body.get("instances") or ()]
        return Opening(prompts[0] if len(prompts) == 1 else prompts, attributes, metadata)

    def read_reply(self, reply: Any) -> Closing:
        return Closing([_image(each) for each in read(reply, "predictions") or ()])

    def join(self, events: list[Mapping[str, Any]]) -> Any:
        return events[-1]

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return False


def _image(prediction: Any) -> dict[str, Any]:
    data = read(prediction, "bytesBase64Encoded")
    shown = {
        "content_type": read(prediction, "mimeType"),
        "base64_chars": len(data) if data else None,
        "filtered_reason": read(prediction, "raiFilteredReason"),
    }
    return known(shown)
