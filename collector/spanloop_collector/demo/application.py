"""The sample application: a support assistant that answers customers of a shop.

It is traced as any application is: `spanloop.init` once, `@traced` on its functions, `wrap_openai` around its
client. Run it against any collector: `SPANLOOP_ENDPOINT=… OPENAI_BASE_URL=… python -m
spanloop_collector.demo.application`.
"""

from __future__ import annotations

import logging

import spanloop

from spanloop_collector.demo.model import connect_model

PROJECT = "demo"
CUSTOMERS = (
    ("ada", "Where is my order 1001?"),
    ("grace", "Can I return the blue lamp I bought in May?"),
    ("alan", "Where is my order 4040?"),
    ("ada", "When will order 1002 arrive?"),
    ("edsger", "How long is the warranty of the kettle?"),
    ("grace", "I was charged twice, I want a refund"),
    ("barbara", "Do you deliver to Norway?"),
    ("alan", "Where is order 1003 now?"),
)
ORDERS = {"1001": "delivered on Tuesday", "1002": "packed, leaves tomorrow", "1003": "with the carrier"}
HANDBOOK = {
    "return": "Articles can be returned within 30 days.",
    "refund": "A refund takes three working days.",
    "warranty": "Kettles have a warranty of two years.",
    "deliver": "We deliver within Europe in five days.",
}

log = logging.getLogger("shop")
ask_model = connect_model()


@spanloop.traced(type="tool")
def look_up_order(order: str) -> str:
    """State of an order; an unknown one is an error, which the span records."""
    return ORDERS[order]


@spanloop.traced(type="tool")
def search_handbook(question: str) -> list[str]:
    """Sentences of the handbook that fit the question."""
    return [text for word, text in HANDBOOK.items() if word in question.lower()]


@spanloop.traced(type="task")
def answer(question: str, *, customer: str) -> str:
    """One conversation: facts first, then the model."""
    spanloop.current_span().log(metadata={"user_id": customer, "session_id": f"chat-{customer}"})
    facts = search_handbook(question)
    order = next((word.strip("?") for word in question.split() if word.strip("?").isdigit()), None)
    if order:
        try:
            facts.append(f"Order {order} is {look_up_order(order)}.")
        except KeyError:
            log.warning("order %s of customer %s is unknown", order, customer)
            spanloop.current_span().log(tags=["unknown-order"])
    reply = ask_model(f"Answer from these facts: {' '.join(facts) or 'none'}", question)
    spanloop.current_span().log(scores={"grounded": 1.0 if facts else 0.0})
    return reply


def main() -> None:
    """Answers every customer, then waits until the collector has what was traced."""
    spanloop.init(PROJECT)
    log.addHandler(spanloop.logging_handler())
    for customer, question in CUSTOMERS:
        answer(question, customer=customer)
    spanloop.shutdown()


if __name__ == "__main__":
    main()
