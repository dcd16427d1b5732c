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
from spanloop_collector.store.memory import leave_out_pandas

print([name for name in ("genai_prices", "numpy", "pandas", "pyarrow", "pydantic") if name in sys.modules])
leave_out_pandas()
client = connect(StoreSettings(), Path(sys.argv[1]))
client.command("CREATE DATABASE d ENGINE = Atomic")
client.command("CREATE TABLE d.t (n UInt8, s String) ENGINE = MergeTree ORDER BY n")
client.insert("d.t", [[7, "a"]], column_names=["n", "s"])
rows = client.query("SELECT * FROM d.t").result_rows

print(rows, [name for name in ("pandas", "pyarrow") if name in sys.modules])
print(client.query_arrow("SELECT * FROM d.t").to_pylist(), "pyarrow" in sys.modules)
"""


def test_large_libraries_are_loaded_only_when_they_are_used(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]", "[(7, 'a')] []", "[{'n': 7, 's': 'a'}] True"]
