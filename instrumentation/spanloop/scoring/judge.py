"""An LLM as a scorer: a prompt of your own, answered with one of a few choices that each stand for a number.

helpful = judge(
    prompt="Does {{output}} answer the question {{input}}?",
    choices={"fully": 1, "partly": 0.5, "no": 0},
)

The model writes its reasoning before it chooses; it is kept as the score's reason. An answer that is none of the
choices is an error, never a 0.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from spanloop.scoring.score import Score, ScoreError
from spanloop.scoring.usage import metered_openai

DEFAULT_MODEL = "gpt-4o-mini"
TIMEOUT_SECONDS = 60.0
INSTALL_OPENAI = 'pip install "spanloop[openai]"'
INSTRUCTION = "Answer by calling the function `choose`."


class JudgeError(ScoreError):
    """The model's answer is no verdict; asked again, it may give one."""

    is_retryable = True


_PLACEHOLDER = re.compile(r"\{\{\s*([\w.\-]+)\s*\}\}")
_ROOTS = ("input", "output", "expected", "metadata", "trace")


def judge(
    *,
    prompt: str,
    choices: Mapping[str, float],
    model: str = DEFAULT_MODEL,
    reasoning: bool = True,
    temperature: float | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Callable[..., Score]:
    """A scorer that asks a model. `{{input}}`, `{{output.answer}}`, `{{metadata.user}}` are filled from the row.

    `base_url` is any API that speaks OpenAI's chat completions; without it and `api_key`, OPENAI_BASE_URL and
    OPENAI_API_KEY count. Raises ScoreError for a prompt or choices that cannot work.
    """
    _check(prompt, choices)
    client = openai_client(base_url=base_url, api_key=api_key, timeout=timeout_seconds)
    options: dict[str, Any] = {} if temperature is None else {"temperature": temperature}
    tool = _tool(list(choices), reasoning)

    def judged(input: Any, output: Any, expected: Any, metadata: Mapping[str, Any], trace: Any = None) -> Score:
        row = {"input": input, "output": output, "expected": expected, "metadata": metadata, "trace": _spans(trace)}
        response = client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": f"{fill(prompt, row)}\n\n{INSTRUCTION}"}],
            tools=[tool],
            tool_choice={"type": "function", "function": {"name": "choose"}},
            **options,
        )
        choice, reason = _read(response, choices)
        return Score("judge", float(choices[choice]), {"choice": choice, "model": response.model}, reason)

    if not re.search(r"\{\{\s*trace", prompt):
        return _without_trace(judged)
    return judged


def check_options(options: Mapping[str, Any]) -> None:
    """Raises ScoreError for options that `judge` would refuse; asks for no library and no key."""
    try:
        given = inspect.signature(judge).bind(**options).arguments
    except TypeError as error:
        raise ScoreError(f"options of the judge: {error}") from None
    if not isinstance(given["prompt"], str) or not isinstance(given["choices"], Mapping):
        raise ScoreError("judge.prompt is a text, judge.choices maps each choice to a number from 0 to 1")
    _check(given["prompt"], given["choices"])


def fill(prompt: str, row: Mapping[str, Any]) -> str:
    """The prompt with its placeholders replaced; what the row does not have is left empty."""
    return _PLACEHOLDER.sub(lambda match: _text(_at(row, match[1].split("."))), prompt)


def _without_trace(judged: Callable[..., Score]) -> Callable[..., Score]:
    """The same without the parameter: reading a trace costs a query."""

    def judge(input: Any, output: Any, expected: Any, metadata: Mapping[str, Any]) -> Score:
        return judged(input, output, expected, metadata)

    return judge


def _check(prompt: str, choices: Mapping[str, float]) -> None:
    names = [match.split(".")[0] for match in _PLACEHOLDER.findall(prompt)]
    if not names:
        raise ScoreError(
            "judge.prompt names nothing of the row; use {{input}}, {{output}}, {{expected}} or {{metadata.x}}"
        )
    if unknown := sorted(set(names) - set(_ROOTS)):
        raise ScoreError(f"judge.prompt names {', '.join(unknown)}; there are {', '.join(_ROOTS)}")
    if len(choices) < 2:
        raise ScoreError(f"judge.choices has {len(choices)} of at least two, each with a number from 0 to 1")
    for choice, value in choices.items():
        Score(f"judge.choices.{choice}", value)


def openai_client(**options: Any) -> Any:
    """A client whose usage is counted; raises ScoreError without the library or a key."""
    try:
        return metered_openai(**{name: value for name, value in options.items() if value is not None})
    except ImportError:
        raise ScoreError(f"the judge needs the openai library; run: {INSTALL_OPENAI}") from None
    except Exception as error:
        raise ScoreError(f"the judge has no model to ask: {error}") from error


def _tool(choices: list[str], reasoning: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {"choice": {"type": "string", "enum": choices}}
    if reasoning:
        # First, so that the model thinks before it chooses.
        explained = "Step by step, why this choice is right. Do not name the choice at the outset."
        properties = {"reasons": {"type": "string", "description": explained}, **properties}
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": "choose", "description": "The verdict.", "parameters": parameters}}


def _read(response: Any, choices: Mapping[str, float]) -> tuple[str, str | None]:
    calls = response.choices[0].message.tool_calls if response.choices else None
    if not calls:
        raise JudgeError("the judge answered without choosing")
    try:
        answer = json.loads(calls[0].function.arguments)
        choice = answer["choice"]
    except (ValueError, KeyError, TypeError):
        raise JudgeError(f"the judge's answer cannot be read: {calls[0].function.arguments[:200]!r}") from None
    if choice not in choices:
        raise JudgeError(f"the judge chose {choice!r}, which is none of {', '.join(choices)}")
    return choice, answer.get("reasons")


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _spans(trace: Any) -> list[Any]:
    return [dict(span) for span in trace.spans] if trace is not None else []


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
