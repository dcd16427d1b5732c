"""Trace the OpenAI client: one line, whole and streamed calls.

OPENAI_API_KEY=… python openai_chat.py
"""

import openai
import spanloop

client = spanloop.wrap_openai(openai.OpenAI())


@spanloop.traced
def ask(question: str) -> str:
    completion = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": question}],
    )
    return completion.choices[0].message.content or ""


@spanloop.traced
def ask_streaming(question: str) -> str:
    stream = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},  # or the stream says no token counts
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


if __name__ == "__main__":
    spanloop.init("examples")
    print(ask("What is the capital of France?"))
    print(ask_streaming("What is the capital of Italy?"))
