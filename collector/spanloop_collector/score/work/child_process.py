"""One child process that serves one scorer: asked a row, it answers in time or is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from spanloop.scoring.child import LENGTH

from spanloop_collector.score.rule import RuleScorer

LOAD_SECONDS = 60.0
PURPOSE = "spanloop.purpose=scorer"


class ChildDied(Exception):
    """The process ended by itself, or was killed by the system."""


class ChildProcess:
    """A started child; `ask` rows one after another."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.version = ""
        self.wants_trace = False
        self.name = ""
        """What its scores are called when they do not say."""

    @classmethod
    async def start(cls, scorer: RuleScorer, *, modules: Sequence[str]) -> ChildProcess:
        """A child that has loaded the scorer; raises ChildDied with the reason when it cannot."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "spanloop.scoring.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=child_environment(),
            # Ctrl-C is for the worker, which lets its children finish.
            start_new_session=True,
        )
        child = cls(process)
        request = {
            "use": scorer.use,
            "name": scorer.name,
            "options": scorer.options,
            "memory_mib": scorer.memory_mib,
            "modules": list(modules),
        }
        try:
            child.send(json.dumps(request).encode())
            said = await asyncio.wait_for(child.receive(), LOAD_SECONDS)
        except TimeoutError:
            await child.kill()
            raise ChildDied(f"the scorer was not loaded within {LOAD_SECONDS:.0f} s") from None
        except BaseException:
            await child.kill()
            raise
        if "error" in said:
            await child.kill()
            raise ChildDied(said["error"])
        child.version, child.wants_trace, child.name = said["version"], said["wants_trace"], said["name"]
        return child

    def send(self, content: bytes) -> None:
        """Sends a request; `receive` gives the answers in order."""
        assert self._process.stdin is not None
        self._process.stdin.write(LENGTH.pack(len(content)) + content)

    async def receive(self) -> dict[str, Any]:
        """The next answer; raises ChildDied when the process is gone."""
        assert self._process.stdout is not None
        try:
            (length,) = LENGTH.unpack(await self._process.stdout.readexactly(LENGTH.size))
            answer: dict[str, Any] = json.loads(await self._process.stdout.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            code = await self._process.wait()
            raise ChildDied(f"the scorer's process ended: {_ending(code)}") from None
        return answer

    async def kill(self) -> None:
        """Ends the process at once."""
        if self._process.returncode is None:
            # Its own session: what the scorer started goes with it.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        # The transport is closed with the last pipe; waiting spares a warning at exit.
        self._process._transport.close()  # type: ignore[attr-defined]  # asyncio offers no other way


def child_environment() -> dict[str, str]:
    """Ours without the worker's key; spans that a scorer sends say what they are, so that no rule scores them."""
    environment = {name: value for name, value in os.environ.items() if name != "SPANLOOP_API_KEY"}
    given = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    environment["OTEL_RESOURCE_ATTRIBUTES"] = f"{given},{PURPOSE}" if given else PURPOSE
    return environment


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
