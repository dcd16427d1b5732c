"""Stream answers from an async generator, several at once, as a web application does.

OPENAI_API_KEY=… python async_streaming.py
"""

import asyncio
from collections.abc import AsyncIterator

import openai
import spanloop


@spanloop.traced
async def answer(client: openai.AsyncOpenAI, question: str) -> AsyncIterator[str]:
    stream = await client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": question}], stream=True
    )
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content


async def handle(client: openai.AsyncOpenAI, user: str, question: str) -> None:
    with spanloop.context(user_id=user):
        pieces = [piece async for piece in answer(client, question)]
    print(user, "".join(pieces))


async def main() -> None:
    async with spanloop.wrap_openai(openai.AsyncOpenAI()) as client:
        await asyncio.gather(handle(client, "ada", "Is it raining?"), handle(client, "alan", "Is it late?"))


if __name__ == "__main__":
    spanloop.init("examples")
    asyncio.run(main())
