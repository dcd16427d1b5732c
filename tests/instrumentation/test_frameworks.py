"""Frameworks with their instrumentors, turned on by `auto_instrument`: one tree, each model call in it once.

All in one process apart from the tests', since instrumentors change classes for good, and importing takes its time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spanloop._wrap.imported import is_installed

PRELUDE = """
import asyncio, contextlib, json, sys
import spanloop, spanloop.testing
from tests.instrumentation.provider import Reply, scripted_provider

USAGE = {"prompt_tokens": 100, "completion_tokens": 12, "total_tokens": 112,
         "prompt_tokens_details": {"cached_tokens": 80}}
HEAD = {"id": "c1", "created": 1, "model": "gpt-test-001"}

def answer(**message):
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Paris.", **message}}
    return Reply({**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE})

def tool_call(name, **arguments):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return answer(content=None, tool_calls=[{"id": "t1", "type": "function", "function": function}])

def streamed():
    def chunk(delta, **more):
        return {**HEAD, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, **more}]}
    last = {**HEAD, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}
    return Reply(events=[chunk({"role": "assistant", "content": "Par"}), chunk({"content": "is."}),
                         chunk({}, finish_reason="stop"), last, "[DONE]"])

def shown(row):
    found = [row["name"], *([row["type"]] if "type" in row else [])]
    attributes = row.get("attributes", {})
    if "output" in row and row.get("type") == "llm":
        found.append(row["output"][0].get("message", row["output"][0]).get("content"))
        found.append(attributes.get("gen_ai.usage.cache_read.input_tokens"))
    return [*found, *([[shown(child) for child in row["children"]]] if "children" in row else [])]

FOUND = {}

def scenario(*replies):
    def decorate(run):
        spans.clear()
        provider.will(*replies)
        run(provider.url)
        FOUND[run.__name__] = [shown(row) for row in spans.tree(attributes=True)]
    return decorate

servers = contextlib.ExitStack()
provider = servers.enter_context(scripted_provider())
spans = servers.enter_context(spanloop.testing.capture())
FOUND["traced"] = spanloop.auto_instrument()
"""

Tree = list[Any]


@pytest.fixture(scope="module")
def found() -> dict[str, Tree]:
    """The tree of each scenario: name, type, and of model calls the answer and the cached tokens."""
    code = [
        PRELUDE,
        LANGCHAIN,
        LANGCHAIN_CACHE,
        LANGGRAPH,
        OPENAI_AGENTS,
        PYDANTIC_AI,
        DSPY,
        BEDROCK,
        *(code for module, code in OPTIONAL.items() if is_installed(module)),
        "servers.close(); print(json.dumps(FOUND))",
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "\n".join(code)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Tree] = json.loads(done.stdout.splitlines()[-1])
    return read


def test_all_are_traced(found: dict[str, Tree]) -> None:
    assert found["traced"][:5] == ["openai", "anthropic", "google_genai", "litellm", "pydantic_ai"]
    assert {"bedrock", "dspy", "langchain", "mcp", "openai-agents"} <= set(found["traced"])


LANGCHAIN = """
@scenario(answer(), streamed(), answer(), streamed())
def langchain(url):
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnableLambda
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-test", base_url=url, api_key="k", stream_usage=True)
    chain = ChatPromptTemplate.from_messages([("user", "{question}")]) | model

    @spanloop.traced
    def shorten(message):
        return message.content[:3]

    async def later():
        await chain.ainvoke({"question": "Capital?"})
        async for _ in model.astream("Capital?"):
            pass

    with spanloop.start_span("request"):
        (chain | RunnableLambda(shorten)).invoke({"question": "Capital?"})
        for _ in model.stream("Capital?"):
            with spanloop.start_span("shown"):
                pass
    asyncio.run(later())
"""


def test_langchain(found: dict[str, Tree]) -> None:
    tree = found["langchain"]
    call = ["ChatOpenAI", "llm", "Paris.", 80]
    request, chain, stream = tree
    assert request[0] == "request"
    assert request[1][0] == [
        "RunnableSequence",
        [["ChatPromptTemplate"], call, ["shorten", [["shorten", "function"]]]],
    ]
    assert request[1][1] == call
    assert {each[0] for each in request[1][2:]} == {"shown"}
    assert chain == ["RunnableSequence", [["ChatPromptTemplate"], call]]
    assert stream == call


LANGCHAIN_CACHE = """
@scenario(answer())
def langchain_cache(url):
    from langchain_core.caches import InMemoryCache
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-test", base_url=url, api_key="k", cache=InMemoryCache())
    for _ in range(2):
        assert model.invoke("Capital?").usage_metadata["input_tokens"] == 100
    FOUND["cached"] = [[row.get("metadata"), sum("token" in name for name in row["attributes"])]
                       for row in spans.tree(attributes=True)]
"""


def test_what_langchains_cache_answers_costs_nothing(found: dict[str, Tree]) -> None:
    asked, cached = found["cached"]
    assert asked[1] > 0
    assert cached == [{"cache_hit": True}, 0]


LANGGRAPH = """
@scenario(tool_call("look_up", city="Paris"), answer(), answer())
def langgraph(url):
    import openai
    from langchain_core.messages import HumanMessage
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition

    client = openai.OpenAI(base_url=url, api_key="k")

    @tool
    def look_up(city: str) -> str:
        "Looks a city up."
        asked = client.chat.completions.create(model="gpt-small", messages=[{"role": "user", "content": city}])
        return asked.choices[0].message.content

    model = ChatOpenAI(model="gpt-test", base_url=url, api_key="k").bind_tools([look_up])
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([look_up]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    graph.compile().invoke({"messages": [HumanMessage("Capital?")]})
"""


def test_langgraph_with_a_tool_that_calls_a_model_itself(found: dict[str, Tree]) -> None:
    tree = found["langgraph"]
    [(name, steps)] = tree
    assert name == "LangGraph"
    first, tools, last = (step for step in steps if step[0] in ("model", "tools"))
    assert first[1][0][:3] == ["ChatOpenAI", "llm", None]
    assert tools == ["tools", [["look_up", [["chat gpt-small", "llm", "Paris.", 80]]]]]
    assert last[1][0] == ["ChatOpenAI", "llm", "Paris.", 80]


OPENAI_AGENTS = """
@scenario(tool_call("look_up", city="Paris"), answer())
def agents(url):
    from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
    from openai import AsyncOpenAI

    @function_tool
    @spanloop.traced
    def look_up(city: str) -> str:
        return "A city."

    model = OpenAIChatCompletionsModel("gpt-test", AsyncOpenAI(base_url=url, api_key="k"))
    with spanloop.start_span("request"):
        asyncio.run(Runner.run(Agent(name="guide", tools=[look_up], model=model), "Capital?"))
"""


def test_openai_agents(found: dict[str, Tree]) -> None:
    tree = found["agents"]
    calls = [span for span in _all(tree) if "llm" in span[1:2]]
    assert [span[:4] for span in calls] == [["generation", "llm", None, 80], ["generation", "llm", "Paris.", 80]]
    [tool] = [span for span in _all(tree) if span[0] == "look_up" and "function" not in span]
    assert tool[1] == [["look_up", "function"]]
    assert [span[0] for span in tree] == ["request"]


PYDANTIC_AI = """
@scenario(tool_call("look_up", city="Paris"), answer())
def pydantic_ai(url):
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel("gpt-test", provider=OpenAIProvider(base_url=url, api_key="k"))
    agent = Agent(model, name="guide")

    @agent.tool_plain
    @spanloop.traced
    def look_up(city: str) -> str:
        return "A city."

    with spanloop.start_span("request"):
        agent.run_sync("Capital?")
"""


def test_pydantic_ai(found: dict[str, Tree]) -> None:
    tree = found["pydantic_ai"]
    spans = _all(tree)
    calls = [span for span in spans if "llm" in span[1:2]]
    assert [span[:4] for span in calls] == [["chat gpt-test", "llm", None, 80], ["chat gpt-test", "llm", "Paris.", 80]]
    assert [span[0] for span in spans if span[0] != "chat gpt-test"][:2] == ["request", "invoke_agent guide"]
    [tool] = [span for span in spans if "look_up" in span[0] and "function" not in span]
    assert tool[1] == [["look_up", "function"]]


DSPY = """
THOUGHT = "[[ ## reasoning ## ]]\\nIt is.\\n\\n[[ ## answer ## ]]\\nParis.\\n\\n[[ ## completed ## ]]"

def counted(row):
    attributes = row.get("attributes", {})
    if attributes.get("openinference.span.kind") == "LLM":
        yield [attributes.get(f"gen_ai.usage.{name}") for name in
               ("input_tokens", "output_tokens", "cache_read.input_tokens")]
    for child in row.get("children", ()):
        yield from counted(child)

def dspy_answers(url, engine):
    import dspy

    model = dspy.LM("openai/gpt-test", api_base=url, api_key="k", cache=False, engine=engine)
    with spanloop.start_span("request"), dspy.context(lm=model):
        dspy.ChainOfThought("question -> answer")(question="Capital?")

for engine in ("lm15", "litellm"):
    @scenario(answer(content=THOUGHT))
    def dspy_tree(url):
        dspy_answers(url, engine)
    FOUND[f"dspy {engine}"] = [*counted(*spans.tree(attributes=True))]
"""


@pytest.mark.parametrize("engine", ["lm15", "litellm"])
def test_dspy(engine: str, found: dict[str, Tree]) -> None:
    assert found[f"dspy {engine}"] == [[100, 12, 80]]


BEDROCK = """
BEDROCK_ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Paris."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 20, "outputTokens": 12, "totalTokens": 112, "cacheReadInputTokens": 80},
    "metrics": {"latencyMs": 1},
}

@scenario(Reply(BEDROCK_ANSWER))
def bedrock(url):
    import boto3

    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "k", "region_name": "us-east-1"}
    client = boto3.client("bedrock-runtime", endpoint_url=url, **keys)
    with spanloop.start_span("request"):
        client.converse(modelId="claude", messages=[{"role": "user", "content": [{"text": "Capital?"}]}])
    [row] = spans.tree(attributes=True)[0]["children"]
    FOUND["bedrock tokens"] = [row["attributes"][f"llm.token_count.{name}"] for name in
                               ("prompt", "completion", "prompt_details.cache_read")]
"""


def test_bedrock(found: dict[str, Tree]) -> None:
    assert found["bedrock"] == [["request", [["bedrock.converse"]]]]
    assert found["bedrock tokens"] == [100, 12, 80]


# Too heavy to install for every run of the tests, or not to be had beside the others: tried where they are.
OPTIONAL = {
    "llama_index.llms.openai": """
@scenario(answer(), streamed())
def llama_index(url):
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    model = OpenAI(model="gpt-4o-mini", api_base=url, api_key="k")
    messages = [ChatMessage(role="user", content="Capital?")]
    with spanloop.start_span("request"):
        model.chat(messages)
        for _ in model.stream_chat(messages):
            pass
""",
    "crewai": """
@scenario(*[answer(content="Thought: I know\\nFinal Answer: Paris.")] * 3)
def crewai(url):
    from crewai import LLM, Agent, Crew, Task

    model = LLM(model="openai/gpt-test", base_url=url, api_key="k")
    guide = Agent(role="guide", goal="answer", backstory="-", llm=model)
    task = Task(description="Capital?", expected_output="a city", agent=guide)
    with spanloop.start_span("request"):
        Crew(agents=[guide], tasks=[task]).kickoff()
""",
}


@pytest.mark.parametrize(("module", "calls"), [("llama_index.llms.openai", 2), ("crewai", 1)])
def test_frameworks_that_are_seldom_installed(module: str, calls: int, found: dict[str, Tree]) -> None:
    if not is_installed(module):
        pytest.skip(f"{module} is not installed")
    tree = found[module.partition(".")[0]]
    assert [span[0] for span in tree] == ["request"]
    models = [span for span in _all(tree) if "llm" in span[1:2]]
    assert [span[3] for span in models] == [80] * calls


def _all(tree: list[Any]) -> list[Any]:
    return [found for span in tree for found in (span, *(_all(span[-1]) if isinstance(span[-1], list) else ()))]
