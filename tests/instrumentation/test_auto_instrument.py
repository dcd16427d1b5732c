"""`auto_instrument` traces what is installed, and only once. In processes of its own: it changes classes."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
import json, sys, spanloop, spanloop.testing
from spanloop_collector.demo.provider import running_provider
MESSAGES = [{"role": "user", "content": "Where is order 7?"}]

def ask(client):
    return client.chat.completions.create(model="m", messages=MESSAGES)
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_every_client_is_traced_once() -> None:
    printed = run("""
import openai
with running_provider() as url, spanloop.testing.capture() as spans:
    def make(kind=openai.OpenAI, **more):
        return kind(base_url=url, api_key="k", **more)
    before, wrapped = make(), spanloop.wrap_openai(make())
    print(spanloop.auto_instrument(), spanloop.auto_instrument())
    for client in (before, wrapped, make(), make().with_options(timeout=9), spanloop.wrap_openai(make())):
        ask(client)
    openai.base_url, openai.api_key = url + "/", "k"
    openai.chat.completions.create(model="m", messages=MESSAGES)
    print(len(spans.spans), {span.name for span in spans.spans})
""")
    assert printed == "('openai', 'anthropic') ('openai', 'anthropic')\n6 {'chat m'}"


def test_async_and_azure_clients_too() -> None:
    printed = run("""
import asyncio, openai
spanloop.auto_instrument(anthropic=False)
async def main(url):
    async with openai.AsyncOpenAI(base_url=url, api_key="k") as client:
        await client.chat.completions.create(model="m", messages=MESSAGES)
with running_provider() as url, spanloop.testing.capture() as spans:
    asyncio.run(main(url))
    azure = openai.AzureOpenAI(base_url=url, api_key="k", api_version="1")
    try:
        ask(azure)
    except openai.NotFoundError:
        pass
    print([span.attributes["gen_ai.provider.name"] for span in spans.spans], "anthropic" in sys.modules)
""")
    assert printed == "['openai', 'azure.ai.openai'] False"


def test_what_is_not_installed_is_left_out() -> None:
    printed = run("""
sys.modules["anthropic"] = None
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "anthropic" else found(name, *rest)
print(spanloop.auto_instrument())
""")
    assert printed == "('openai',)"


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_package_can_be_left_out(name: str) -> None:
    other = {"openai": "anthropic", "anthropic": "openai"}[name]
    assert run(f"print(spanloop.auto_instrument({name}=False))") == f"('{other}',)"
