"""Every check there is: format and lint, then types beside the tests. `python -m tests` is what CI runs.

Arguments go to pytest: `python -m tests tests/collector -x`. Three test files run at a time, `-n 0` runs one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.clickhouse_library import LIBRARY_VARIABLE, LibraryUnavailable, find_library

ROOT = Path(__file__).parent.parent
SERVER_URL_VARIABLE = "SPANLOOP_TEST_CLICKHOUSE_URL"
QUICK_CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
}

# Tests wait more than they compute: for ClickHouse, for the disk, for other processes. conftest.py says what comes
# first, and what goes to the same process.
SIDE_BY_SIDE = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
# pytest's exit code for it; anything else is no matter of a busy machine.
SOME_FAILED = 1


def main() -> int:
    """Exit code 0 when everything holds."""
    failed = [name for name, command in QUICK_CHECKS.items() if not passes(name, command)]
    if failed:
        print(f"\nfailed: {', '.join(failed)}; types and tests were not started", flush=True)
        return 1
    with checking_types() as types_hold:
        code = run_tests()
        return code or types_hold()


@contextmanager
def checking_types() -> Iterator[Callable[[], int]]:
    """Checks types in the background; call what is given for the exit code, after what mypy says was printed."""
    print("== types: mypy, beside the tests", flush=True)
    mypy = subprocess.Popen(
        [sys.executable, "-m", "mypy"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def finish() -> int:
        said, _ = mypy.communicate()
        print(f"== types: {said}", flush=True)
        return mypy.returncode

    try:
        yield finish
    finally:
        mypy.kill()
        mypy.wait()


def run_tests() -> int:
    """pytest's exit code."""
    announce_server()
    pytest = [sys.executable, "-m", "pytest"]
    code = run([*pytest, *SIDE_BY_SIDE, *sys.argv[1:]])
    if code != SOME_FAILED:
        return code
    print("== once more, without others beside them: what fails again fails", flush=True)
    return run([*pytest, "-n", "0", "--last-failed", "--last-failed-no-failures=none", *sys.argv[1:]])


def passes(name: str, command: list[str]) -> bool:
    """Whether one static check holds; its own output says where not."""
    print(f"== {name}: {' '.join(command)}", flush=True)
    return run([sys.executable, "-m", *command]) == 0


def announce_server() -> None:
    """Says which ClickHouse server the tests use, fetching one where that is needed and possible."""
    if SERVER_URL_VARIABLE in os.environ:
        print(f"== tests: ClickHouse server of {SERVER_URL_VARIABLE}", flush=True)
        return
    try:
        print(f"== tests: ClickHouse server from {find_library()} ({LIBRARY_VARIABLE} changes that)", flush=True)
    except LibraryUnavailable as unavailable:
        print(
            f"== tests: without a ClickHouse server, half of the storage tests skip: {unavailable}",
            flush=True,
        )


def run(command: list[str]) -> int:
    """The exit code of a command run from the repository's root."""
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
