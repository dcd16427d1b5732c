"""`auto_instrument` traces what is installed, and only once. In processes of its own: it changes classes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

NAMES = ("openai", "anthropic", "google_genai", "litellm", "pydantic_ai")
OURS = str(NAMES)
ONLY_OTHERS = ", ".join(f"{name}=False" for name in NAMES)
PRELUDE = """
import json, sys, spanloop, spanloop.testing
from spanloop_collector.demo.provider import running_provider
MESSAGES = [{"role": "user", "content": "Where is order 7?"}]

def ask(client):
    return client.chat.completions.create(model="m", messages=MESSAGES)
"""


def run(code: str, path: Path | None = None) -> str:
    program = [sys.executable, "-c", PRELUDE + code]
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else None
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_every_client_is_traced_once() -> None:
    printed = run("""
import openai
with running_provider() as url, spanloop.testing.capture() as spans:
    def make(kind=openai.OpenAI, **more):
        return kind(base_url=url, api_key="k", **more)
    before, wrapped = make(), spanloop.wrap_openai(make())
    print(spanloop.auto_instrument(others=False), spanloop.auto_instrument(others=False))
    for client in (before, wrapped, make(), make().with_options(timeout=9), spanloop.wrap_openai(make())):
        ask(client)
    openai.base_url, openai.api_key = url + "/", "k"
    openai.chat.completions.create(model="m", messages=MESSAGES)
    print(len(spans.spans), {span.name for span in spans.spans})
""")
    assert printed == f"{OURS} {OURS}\n6 {{'chat m'}}"


def test_async_and_azure_clients_too() -> None:
    printed = run("""
import asyncio, openai
spanloop.auto_instrument(anthropic=False, others=False)
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


def test_googles_interactions_too() -> None:
    printed = run("""
import warnings
spanloop.auto_instrument(others=False)
warnings.simplefilter("ignore")
from google import genai
from tests.instrumentation.provider import Reply, scripted_provider
with scripted_provider() as provider, spanloop.testing.capture() as spans:
    client = genai.Client(api_key="k", http_options={"base_url": provider.url})
    provider.will(Reply({"id": "1", "status": "completed", "steps": []}))
    client.interactions.create(model="m", input="Hello")
    print([span.name for span in spans.spans])
""")
    assert printed == "['generate_content m']"


def test_nothing_is_imported_for_it_and_what_is_imported_later_is_traced() -> None:
    printed = run("""
print(spanloop.auto_instrument(others=False))
print([name for name in ("openai", "anthropic", "google.genai", "litellm") if name in sys.modules])
from openai import OpenAI
from google import genai
import google.genai._api_client, importlib.resources
print(google.genai._api_client.BaseApiClient._spanloop_wrapped, importlib.resources.files("openai").name)
with running_provider() as url, spanloop.testing.capture() as spans, OpenAI(base_url=url, api_key="k") as client:
    ask(client)
    print(len(spans.spans), "anthropic" in sys.modules)
""")
    assert printed == f"{OURS}\n[]\nTrue openai\n1 False"


def test_a_fault_of_ours_does_not_stop_an_import() -> None:
    printed = run("""
import logging
from spanloop._wrap.imported import when_imported
logging.getLogger("spanloop").addHandler(logging.StreamHandler(sys.stdout))
when_imported("colorsys", lambda module: 1 / 0)
import colorsys
print(colorsys.rgb_to_hsv(0, 0, 0))
""")
    assert "ZeroDivisionError" in printed
    assert printed.endswith("(0.0, 0.0, 0)")


def test_what_is_not_installed_is_left_out() -> None:
    printed = run("""
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "anthropic" else found(name, *rest)
print(spanloop.auto_instrument(others=False))
""")
    assert printed == "('openai', 'google_genai', 'litellm', 'pydantic_ai')"


@pytest.mark.parametrize("name", NAMES)
def test_a_package_can_be_left_out(name: str) -> None:
    left = tuple(other for other in NAMES if other != name)
    assert run(f"print(spanloop.auto_instrument({name}=False, others=False))") == str(left)


EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize(
    ("extra", "module"),
    [
        ("bedrock", "botocore"),
        ("crewai", "crewai"),
        ("dspy", "dspy"),
        ("langchain", "langchain_core"),
        ("llama-index", "llama_index.core"),
        ("mcp", "mcp"),
        ("openai-agents", "agents"),
    ],
)
def test_an_extra_brings_the_instrumentor_that_waits_for_its_library(extra: str, module: str) -> None:
    from spanloop._wrap.instrumentors import MODULES, _chosen

    [requirement] = map(Requirement, EXTRAS[extra])
    entry = dict(_chosen())[extra]
    assert entry.dist is not None
    assert entry.dist.name == requirement.name
    assert requirement.specifier.contains(entry.dist.version)
    assert find_spec(entry.module) is not None
    assert MODULES[extra] == module


INSTRUMENTOR = """
import shop_library
class Instrumentor:
    is_instrumented_by_opentelemetry = False
    def instrument(self, *, tracer_provider):
        tracer = tracer_provider.get_tracer("NAME")
        original = shop_library.sell
        def sell(article):
            with tracer.start_as_current_span(f"NAME {article}"):
                return original(article)
        shop_library.sell = sell
        type(self).is_instrumented_by_opentelemetry = True
"""


def install(path: Path, distribution: str, source: str) -> None:
    """Puts an instrumentor on the path as pip would."""
    module = distribution.replace("-", "_")
    (path / f"{module}.py").write_text(source.replace("NAME", distribution))
    info = path / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[opentelemetry_instrumentor]\nx = {module}:Instrumentor\n")


SELL = f"""
import shop_library
with spanloop.testing.capture() as spans:
    print(spanloop.auto_instrument({ONLY_OTHERS}, others=["shop", "absent", "openai", "requests"]))
    with spanloop.start_span("request"):
        shop_library.sell("lamp")
    print([(row["name"], [child["name"] for child in row.get("children", [])]) for row in spans.tree()])
"""


def test_instrumentors_that_are_installed_run_once_for_each_library(tmp_path: Path) -> None:
    (tmp_path / "shop_library.py").write_text("def sell(article): return article\n")
    for family in ("opentelemetry-instrumentation-genai", "openinference-instrumentation"):
        install(tmp_path, f"{family}-shop", INSTRUMENTOR)
    install(tmp_path, "openinference-instrumentation-absent", "import a_library_that_is_not_installed")
    install(tmp_path, "openinference-instrumentation-openai", "raise RuntimeError('we wrap it ourselves')")
    install(tmp_path, "opentelemetry-instrumentation-requests", "raise RuntimeError('no AI library')")
    assert run(SELL, tmp_path) == "('shop',)\n[('request', ['openinference-instrumentation-shop lamp'])]"


def test_an_instrumentor_the_application_runs_itself_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shop_library.py").write_text("def sell(article): return article\n")
    install(tmp_path, "openinference-instrumentation-shop", INSTRUMENTOR.replace("= False", "= True"))
    assert run(SELL, tmp_path) == "()\n[('request', [])]"
