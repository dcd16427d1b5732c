"""The package's root shows what it offers, and costs little to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import spanloop


def test_all_equals_what_is_imported() -> None:
    tree = ast.parse(Path(spanloop.__file__).read_text())
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert set(spanloop.__all__) == imported
    assert len(set(spanloop.__all__)) == len(spanloop.__all__)


def test_everything_public_is_documented() -> None:
    for name in spanloop.__all__:
        if not name.startswith("__"):
            assert getattr(spanloop, name).__doc__, name


def test_version_is_the_distributions() -> None:
    assert spanloop.__version__ == version("spanloop")


def test_import_brings_in_neither_grpc_nor_the_sdk() -> None:
    code = (
        "import sys, spanloop; "
        "print([m for m in ('grpc', 'opentelemetry.sdk', 'openai', 'google.protobuf', 'requests', "
        "'spanloop_collector') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
