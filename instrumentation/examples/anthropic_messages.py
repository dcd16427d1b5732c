"""Trace Claude: a stream, and a tool that the model asks for.

ANTHROPIC_API_KEY=… python anthropic_messages.py
"""

import anthropic
import spanloop
from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam

MODEL = "claude-sonnet-4-5"
WEATHER: ToolParam = {
    "name": "weather",
    "description": "What the weather is like in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}

client = spanloop.wrap_anthropic(anthropic.Anthropic())


@spanloop.traced(type="tool")
def weather(city: str) -> str:
    return f"It rains in {city}."


@spanloop.traced
def ask(question: str) -> str:
    messages: list[MessageParam] = [{"role": "user", "content": question}]
    while True:
        with client.messages.stream(model=MODEL, max_tokens=500, tools=[WEATHER], messages=messages) as stream:
            reply = stream.get_final_message()
        called = [block for block in reply.content if block.type == "tool_use"]
        if not called:
            return "".join(block.text for block in reply.content if block.type == "text")
        results: list[ToolResultBlockParam] = [
            {"type": "tool_result", "tool_use_id": block.id, "content": weather(str(block.input["city"]))}
            for block in called
        ]
        messages.append({"role": "assistant", "content": reply.content})
        messages.append({"role": "user", "content": results})


if __name__ == "__main__":
    spanloop.init("examples")
    print(ask("Do I need an umbrella in Paris?"))
