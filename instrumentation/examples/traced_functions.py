"""Trace functions: arguments, results and nesting come by themselves.

python traced_functions.py
"""

import spanloop

ARTICLES = {"lamp": "Our lamps are red.", "kettle": "Our kettles whistle."}


@spanloop.traced(type="tool")
def search(query: str) -> list[str]:
    return [text for word, text in ARTICLES.items() if word in query]


@spanloop.traced
def answer(question: str) -> str:
    found = search(question)
    spanloop.current_span().log(
        metadata={"articles": len(found)},
        scores={"grounded": 1 if found else 0},
        tags=["shop"],
    )
    return " ".join(found) or "I do not know."


if __name__ == "__main__":
    spanloop.init("examples")
    with spanloop.context(session_id="chat-1", user_id="ada"):
        print(answer("What colour is the lamp?"))
        print(answer("Do you sell cars?"))
