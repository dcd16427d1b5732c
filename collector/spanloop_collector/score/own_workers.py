"""The workers that a collector starts beside itself: processes of their own, once there is something to score."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from spanloop_collector.settings import Settings

LOOK_EVERY_SECONDS = 0.25
STOP_SECONDS = 25.0
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0
LIVES_LONG_SECONDS = 60.0

logger = logging.getLogger(__name__)


async def keep_workers(
    settings: Settings, *, api_url: str, is_needed: Callable[[], bool], on_end: Callable[[str], None]
) -> None:
    """Keeps so many workers running as the settings say, until cancelled; `on_end` hears who ended, by name."""
    workers = [
        _keep_worker(settings, api_url=api_url, is_needed=is_needed, on_end=on_end)
        for _ in range(settings.score.workers)
    ]
    await asyncio.gather(*workers)


async def _keep_worker(
    settings: Settings, *, api_url: str, is_needed: Callable[[], bool], on_end: Callable[[str], None]
) -> None:
    pause = FIRST_PAUSE_SECONDS
    loop = asyncio.get_running_loop()
    while True:
        while not is_needed():  # noqa: ASYNC110 - what is needed is asked, nobody says it
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        started, name = loop.time(), f"own-{uuid.uuid4().hex[:8]}"
        code = await _run(settings, api_url, name)
        on_end(name)
        pause = FIRST_PAUSE_SECONDS if loop.time() - started > LIVES_LONG_SECONDS else pause
        logger.warning("score: a worker ended code=%s, another starts in %.0f s", code, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, MAX_PAUSE_SECONDS)


async def _run(settings: Settings, api_url: str, name: str) -> int:
    """Runs one worker; stops it in order when cancelled."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "spanloop_collector",
        "score",
        "--name",
        name,
        # Its standard input ends with this process, however that ends.
        "--until-input-ends",
        *(argument for module in modules_of(settings) for argument in ("--module", module)),
        env=worker_environment(settings, api_url),
        stdin=asyncio.subprocess.PIPE,
        # Ctrl-C is for the collector, which stops its workers itself.
        start_new_session=True,
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


def modules_of(settings: Settings) -> list[str]:
    """Modules and files with scorers of the operator's own."""
    return [each.strip() for each in settings.score.modules.split(",") if each.strip()]


def local_url(settings: Settings, port: int) -> str:
    """Where this machine reaches the API."""
    host = settings.receive.api_address.rpartition(":")[0]
    here = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
    return f"{'https' if settings.auth.tls_certificate else 'http'}://{here}:{port}"


def worker_environment(settings: Settings, api_url: str) -> dict[str, str]:
    """How a worker finds this collector: its address, the key of its own command line, its certificate."""
    environment = dict(os.environ) | {"SPANLOOP_API_URL": api_url}
    environment["SPANLOOP_DATA_DIR"] = str(settings.data_dir)
    key = settings.data_dir / "admin.key"
    if settings.auth.require_keys and key.exists():
        environment["SPANLOOP_API_KEY"] = key.read_text().strip()
    if settings.auth.tls_certificate is not None:
        environment.setdefault("SPANLOOP_CERTIFICATE", str(_absolute(settings.auth.tls_certificate)))
    return environment


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
