"""Test what an application traces, with the `captured_spans` fixture that comes with spanloop.

pytest test_with_captured_spans.py
"""

from spanloop import current_span, traced
from spanloop.testing import Capture


@traced
def answer(question: str) -> str:
    current_span().log(metadata={"model": "none"})
    return question.upper()


def test_answer(captured_spans: Capture) -> None:
    answer("why?")
    assert captured_spans.tree() == [
        {
            "name": "answer",
            "type": "function",
            "input": {"question": "why?"},
            "output": "WHY?",
            "metadata": {"model": "none"},
        }
    ]
