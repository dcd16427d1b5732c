"""A run of streamed events that differ in nothing but the piece of text they bring, as one event with all their text.

An answer of a model is hundreds of those, one a token. To read them as one costs a fifth of reading each, and says the
same to whoever puts pieces together (`deltas`).
"""

from __future__ import annotations

import re

# The text of OpenAI's or Anthropic's event, as it is in JSON, where it is all that the event's delta brings.
_TEXT = rb'[^"\\]*(?:\\.[^"\\]*)*'
_BEFORE = rb'"delta": ?\{(?:"type": ?"\w+", ?)?"(?:content|reasoning_content|text|thinking|partial_json)": ?"'
_find = re.compile(rb"(?P<before>.*" + _BEFORE + rb")" + _TEXT + rb'(?P<after>"\}[^{]*)', re.DOTALL).fullmatch
_is_text = re.compile(_TEXT, re.DOTALL).fullmatch


def joined_run(events: list[bytes]) -> list[bytes]:
    """The same; from the first like the one in the middle to the last they are one, if all between them are alike."""
    like = _find(events[len(events) // 2]) if len(events) > 2 else None
    if like is None or like["before"].count(b'"delta"') > 1:
        return events
    before, after = like["before"], like["after"]
    first = next(at for at, event in enumerate(events) if event.startswith(before))
    last = next(at for at in reversed(range(len(events))) if events[at].startswith(before))
    run = events[first : last + 1]
    begin, end = len(before), -len(after)
    texts = [event[begin:end] for event in run]
    # Put together again and compared as a whole: to look at each event takes twice as long as all the rest.
    is_alike = before + (after + before).join(texts) + after == b"".join(run)
    text = b"".join(texts)
    return [*events[:first], before + text + after, *events[last + 1 :]] if is_alike and _is_text(text) else events
