"""Trace LiteLLM, whichever provider it calls, with everything else that is installed.

OPENAI_API_KEY=… python litellm_any_provider.py
"""

import asyncio

import spanloop

spanloop.init("examples")
spanloop.auto_instrument()  # before the functions are imported

from litellm import acompletion  # noqa: E402


@spanloop.traced
async def ask(question: str) -> str:
    answer = await acompletion("openai/gpt-4o-mini", [{"role": "user", "content": question}])
    return str(answer.choices[0].message.content)


async def main() -> None:
    questions = ("What is the capital of France?", "What is the capital of Italy?")
    print(*await asyncio.gather(*map(ask, questions)), sep="\n")


if __name__ == "__main__":
    asyncio.run(main())
