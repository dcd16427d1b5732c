"""Trace Gemini: a question, a stream, and a function that the model calls.

GEMINI_API_KEY=… python google_genai.py
"""

import spanloop
from google import genai
from google.genai import types

MODEL = "gemini-2.5-flash"


@spanloop.traced(type="tool")
def weather(city: str) -> str:
    """What the weather is like in a city."""
    return f"It rains in {city}."


def main() -> None:
    client = spanloop.wrap_google_genai(genai.Client())
    for chunk in client.models.generate_content_stream(model=MODEL, contents="What is the capital of France?"):
        print(chunk.text, end="")
    print()
    with spanloop.start_span("umbrella?"):
        chat = client.chats.create(model=MODEL, config=types.GenerateContentConfig(tools=[weather]))
        print(chat.send_message("Do I need an umbrella there?").text)


if __name__ == "__main__":
    spanloop.init("examples")
    main()
