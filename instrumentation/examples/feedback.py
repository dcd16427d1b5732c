"""Feedback on an answer, from wherever the thumb was pressed.

python feedback.py
"""

import spanloop


def answer(question: str) -> tuple[str, str]:
    """The answer, and the id to send back with a thumb."""
    with spanloop.start_span("answer", input=question) as span:
        text = "Our lamps are red."
        span.log(output=text)
        return text, span.span_id


if __name__ == "__main__":
    spanloop.init("examples")
    text, span_id = answer("What colour is the lamp?")
    print(text)
    # Any time later, in any process that called `init` for the same project:
    spanloop.log_feedback(span_id, scores={"thumbs": 1.0}, comment="just what I asked")
