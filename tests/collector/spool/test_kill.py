"""`kill -9` of a real process, at random instants and at the worst ones: what `append` returned for is there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from spanloop_collector.spool import Spool

from tests.collector.spool.conftest import OpenSpool
from tests.support.waiting import wait_until

ROUNDS = 12

WRITER = """
import asyncio, os, sys
from pathlib import Path
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool import Spool

async def write(spool, acknowledged, prefix):
    number = 0
    while True:
        identity = f"{prefix}-{number}"
        await spool.append(identity.encode() + b" " + b"x" * (number * 997 % 40_000), item_count=1)
        os.write(acknowledged, f"{identity}\\n".encode())
        number += 1

async def store(spool, stored):
    while True:
        segment = await spool.take()
        names = [bytes(record.payload).split(b" ")[0].decode() for record in segment.records()]
        os.write(stored, "".join(f"{segment.token} {name}\\n" for name in names).encode())
        await asyncio.to_thread(segment.remove)

async def main():
    spool = Spool.open(Path(sys.argv[1]), SpoolSettings(segment_bytes=200_000), signal="test")
    acknowledged, *stored = (os.open(p, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for p in (sys.argv[2], *sys.argv[4:]))
    writers = (write(spool, acknowledged, f"{sys.argv[3]}-{n}") for n in range(4))
    await asyncio.gather(*writers, *(store(spool, file) for file in stored))

asyncio.run(main())
"""


def write_until_killed(
    directory: Path, acknowledged: Path, *, prefix: str, byte_count: int, stored: Path | None = None
) -> None:
    """Runs a writer that is killed once it has acknowledged that many more bytes of names.

    With `stored` it also takes segments, writes their tokens and names there, and removes them.
    """
    enough = acknowledged.stat().st_size + byte_count
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), str(acknowledged), prefix, *([str(stored)] if stored else [])]
    )
    wait_until(lambda: acknowledged.stat().st_size > enough, what="writer acknowledges", poll=0.001)
    writer.send_signal(signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL


async def names_in(spool: Spool) -> list[str]:
    found: list[str] = []
    while segment := await spool.take(timeout=0.05):
        found.extend(bytes(record.payload).split(b" ")[0].decode() for record in segment.records())
    return found


async def test_killed_writer_loses_nothing_acknowledged(open_spool: OpenSpool, tmp_path: Path) -> None:
    directory, acknowledged = tmp_path / "spool", tmp_path / "acknowledged"
    acknowledged.touch()
    chance = random.Random(20260101)
    for number in range(ROUNDS):
        write_until_killed(directory, acknowledged, prefix=str(number), byte_count=chance.randint(1, 3000))
    expected = acknowledged.read_text().split()
    found = await names_in(open_spool(directory))
    assert set(expected) <= set(found)
    assert len(found) == len(set(found))
    # Beyond the acknowledged ones at most those in flight at the kill, one per writer.
    assert len(found) - len(expected) <= ROUNDS * 4


async def test_killed_while_files_are_written_over_loses_nothing(open_spool: OpenSpool, tmp_path: Path) -> None:
    acknowledged, stored = tmp_path / "acknowledged", tmp_path / "stored"
    acknowledged.touch()
    for number in range(8):
        byte_count = 4000 + 700 * number
        write_until_killed(tmp_path / "spool", acknowledged, prefix=str(number), byte_count=byte_count, stored=stored)
    places = [line.split(" ") for line in stored.read_text().splitlines()]
    spool = open_spool()
    while segment := await spool.take(timeout=0.05):
        places += [[segment.token, bytes(record.payload).split(b" ")[0].decode()] for record in segment.records()]
    assert set(acknowledged.read_text().split()) <= {name for _, name in places}
    # A segment that was stored, but not yet removed, comes again; what it holds has its token alone.
    assert len({(token, name) for token, name in places}) == len({name for _, name in places})


FAILPOINT = """
import os, signal
from spanloop_collector.spool import active, segment

def die(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)

def die_at_call(module, name, number, *, afterwards):
    original, calls = getattr(module, name), iter(range(1, number))
    def patched(*args, **options):
        if next(calls, None) is not None:
            return original(*args, **options)
        if afterwards:
            original(*args, **options)
        die()
    setattr(module, name, patched)

"""


def run_until_killed(script: str, *arguments: str) -> None:
    """Runs a script that kills itself."""
    finished = subprocess.run([sys.executable, "-c", script, *arguments], timeout=60)
    assert finished.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("place", "afterwards"),
    [
        ("active, 'write_all', 20", False),
        ("active, 'write_all', 20", True),
        ("active, 'sync_file', 20", True),
        ("active, 'sync_directory', 3", False),
        ("active, 'sync_directory', 3", True),
        ("active.ActiveSegment, 'seal', 3", False),
        ("active.ActiveSegment, 'seal', 3", True),
    ],
)
async def test_killed_at_the_worst_instant_loses_nothing_acknowledged(
    open_spool: OpenSpool, tmp_path: Path, place: str, afterwards: bool
) -> None:
    directory, acknowledged = tmp_path / "spool", tmp_path / "acknowledged"
    script = f"{FAILPOINT}die_at_call({place}, afterwards={afterwards})\n{WRITER}"
    run_until_killed(script, str(directory), str(acknowledged), "w")
    expected = acknowledged.read_text().split()
    found = await names_in(open_spool(directory))
    assert len(expected) > 10
    assert set(expected) <= set(found)
    assert len(found) == len(set(found))


async def test_killed_while_removing_leaves_the_rest(open_spool: OpenSpool, tmp_path: Path) -> None:
    script = f"""{FAILPOINT}
import asyncio, sys
from pathlib import Path
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool import Spool

async def main():
    spool = Spool.open(Path(sys.argv[1]), SpoolSettings(segment_bytes=64), signal="test")
    for name in (b"first", b"second", b"third"):
        await spool.append(name + b" " * 60, item_count=1)
    taken = await spool.take(10)
    segment.sync_directory = die
    taken.remove()

asyncio.run(main())
"""
    directory = tmp_path / "spool"
    run_until_killed(script, str(directory))
    assert await names_in(open_spool(directory)) == ["second", "third"]
