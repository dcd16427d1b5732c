"""Google's Interactions API: models and agents that answer in steps.

The row's input is what was sent as `input`, after the system instruction; its output is the list of steps as received.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spanloop._wrap import genai
from spanloop._wrap.deltas import Assembly
from spanloop._wrap.endpoint import Closing, Opening, known, read, split_request

CONFIG = "generation_config"
PARAMETERS = {
    "model": genai.REQUEST_MODEL,
    "agent": genai.AGENT_NAME,
    "stream": genai.REQUEST_STREAM,
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "seed": "gen_ai.request.seed",
    "previous_interaction_id": "gen_ai.conversation.id",
}
SYSTEM = "system_instruction"
AUDIO = "audio"


class Interactions:
    """`POST /interactions`, of a model or of an agent."""

    def __init__(self, operation: str) -> None:
        self.operation = operation

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        given = {**body, **(body.get(CONFIG) or {})}
        attributes, metadata = split_request(given, PARAMETERS, ("input", CONFIG, SYSTEM))
        return Opening(_after_system(body.get(SYSTEM), body.get("input")), attributes, metadata)

    def read_reply(self, reply: Any) -> Closing:
        return Closing(
            read(reply, "steps"),
            known(
                {
                    genai.RESPONSE_ID: read(reply, "id"),
                    genai.RESPONSE_MODEL: read(reply, "model"),
                    **_usage(read(reply, "usage")),
                }
            ),
            known({"status": read(reply, "status")}),
            error=_error_of(reply),
        )

    def join(self, events: list[Mapping[str, Any]]) -> dict[str, Any]:
        reply: dict[str, Any] = {}
        steps: dict[int, _Step] = {}
        for event in events:
            reply |= known(event.get("interaction") or {})
            index = event.get("index", 0)
            if "step" in event:
                steps[index] = _Step(event["step"])
            elif "delta" in event:
                steps.setdefault(index, _Step({})).add(event["delta"])
        return {**reply, "steps": [steps[index].whole() for index in sorted(steps)] or reply.get("steps")}

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return "delta" in event


class _Step:
    """One step, which begins as an object and grows by pieces of text, of arguments, or whole contents."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self._fields = dict(start)
        self._contents: list[Assembly] = []
        self._last_kind = ""
        for content in self._fields.pop("content", None) or ():
            self._add_content(content)

    def add(self, delta: Mapping[str, Any]) -> None:
        kind = str(delta.get("type", ""))
        if kind == "arguments_delta":
            before = self._fields.get("arguments")
            self._fields["arguments"] = (before if isinstance(before, str) else "") + str(delta.get("arguments") or "")
        elif kind == "thought_summary":
            self._fields["summary"] = [*(self._fields.get("summary") or ()), delta.get("content")]
        elif kind == "thought_signature":
            self._fields["signature"] = delta.get("signature")
        else:
            self._add_content(delta)

    def _add_content(self, content: Mapping[str, Any]) -> None:
        """Texts that follow each other are one."""
        kind = str(content.get("type", ""))
        if kind != "text" or self._last_kind != kind:
            self._contents.append(Assembly())
        self._contents[-1].add(content)
        self._last_kind = kind

    def whole(self) -> dict[str, Any]:
        contents = [content.whole() for content in self._contents]
        return {**self._fields, "content": contents} if contents else self._fields


def _after_system(system: Any, given: Any) -> Any:
    if system is None:
        return given
    rest = given if isinstance(given, list) else [{"role": "user", "content": given}]
    return [{"role": "system", "content": system}, *rest]


def _usage(usage: Any) -> dict[str, Any]:
    """Token counts; the total also holds thoughts and the prompts of the provider's own tools."""
    prompt, tools = read(usage, "total_input_tokens"), read(usage, "total_tool_use_tokens")
    answer, thoughts = read(usage, "total_output_tokens"), read(usage, "total_thought_tokens")
    total = read(usage, "total_tokens")
    given = None if prompt is None else prompt + (tools or 0)
    made = None if answer is None else answer + (thoughts or 0)
    if total is not None and given is not None:
        made = total - given
    return {
        genai.INPUT_TOKENS: given,
        genai.OUTPUT_TOKENS: made,
        genai.CACHE_READ_TOKENS: read(usage, "total_cached_tokens"),
        genai.REASONING_TOKENS: thoughts,
        genai.AUDIO_INPUT_TOKENS: _of_audio(read(usage, "input_tokens_by_modality")),
        genai.AUDIO_OUTPUT_TOKENS: _of_audio(read(usage, "output_tokens_by_modality")),
    }


def _of_audio(details: Any) -> int | None:
    return sum(read(each, "tokens") or 0 for each in details or () if read(each, "modality") == AUDIO) or None


def _error_of(reply: Any) -> str:
    """What an answer that is an error says, or an interaction that failed."""
    error = read(reply, "error") or next(iter(read(reply, "errors") or ()), None)
    if error is None:
        return ""
    return str(read(error, "message") or error)
