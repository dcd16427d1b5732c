"""What a collector with an embedded ClickHouse brings into memory, and waits for when it starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
import spanloop_collector.pipeline
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store.connect import connect
from spanloop_collector.store.memory import leave_out_arrays

print([name for name in ("genai_prices", "numpy", "pandas", "pyarrow", "pydantic") if name in sys.modules])
leave_out_arrays()
client = connect(StoreSettings(), Path(sys.argv[1]))
client.command("CREATE DATABASE d ENGINE = Atomic")
client.command("CREATE TABLE d.t (n UInt8, s String) ENGINE = MergeTree ORDER BY n")
client.insert("d.t", [[7, "a"]], column_names=["n", "s"])
rows = client.query("SELECT * FROM d.t").result_rows

print(rows, [name for name in ("numpy", "pandas", "pyarrow") if name in sys.modules])
print(client.query_arrow("SELECT * FROM d.t").to_pylist(), "pyarrow" in sys.modules)
"""

RETURNING = """
import asyncio
import sys
from pathlib import Path
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store import Store
from spanloop_collector.write.freed_memory import resident_bytes, return_freed_memory

async def mebibytes_after(seconds, calm_seconds):
    returning = asyncio.create_task(return_freed_memory(store, lambda: calm_seconds))
    await asyncio.sleep(seconds)
    returning.cancel()
    return resident_bytes() // 2**20

async def main():
    idle = await mebibytes_after(0, 0.0)
    texts = "SELECT arrayJoin(groupArray(repeat('a', 1000))) AS text FROM numbers(300000)"
    store.command(f"SELECT sum(length(text)) FROM ({texts})")
    print(await mebibytes_after(1.2, 0.0) - idle, await mebibytes_after(1.2, 10.0) - idle)

store = Store(StoreSettings(), Path(sys.argv[1]))
store.command("SELECT 1")
asyncio.run(main())
"""

LEAVING = """
import sys
from pathlib import Path
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store import Store
from spanloop_collector.store.unused_code import page_out_code

def mebibytes_of_files():
    return int(Path("/proc/self/statm").read_text().split()[2]) * 4096 // 2**20

def mebibytes_of_this_process_alone():
    kibibytes, is_library = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            is_library = "/_chdb" in line
        elif is_library and line.startswith("Private_Clean:"):
            kibibytes += int(line.split()[1])
    return kibibytes // 1024

store = Store.open(StoreSettings(), Path(sys.argv[1]))
alone, before = mebibytes_of_this_process_alone(), mebibytes_of_files()
page_out_code()
print(before - mebibytes_of_files(), alone, store.column("SELECT count() FROM spanloop.logs"))
"""


def run(program: str, folder: Path) -> list[str]:
    """Lines that the program printed."""
    command = [sys.executable, "-W", "ignore", "-c", program, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_the_engine_has_freed_goes_back_to_the_system_while_inserts_leave_a_pause(tmp_path: Path) -> None:
    (line,) = run(RETURNING, tmp_path)
    busy, calm = map(int, line.split())
    assert busy > 300
    assert calm < 100


def test_code_of_the_engine_that_only_its_start_needs_leaves_memory(tmp_path: Path) -> None:
    (line,) = run(LEAVING, tmp_path)
    left, alone, rows = line.split()
    # What other collectors of this machine run as well stays.
    assert int(left) >= int(alone) // 2
    assert rows == "[0]"


def test_large_libraries_are_loaded_only_when_they_are_used(tmp_path: Path) -> None:
    assert run(PROGRAM, tmp_path) == ["[]", "[(7, 'a')] []", "[{'n': 7, 's': 'a'}] True"]
