"""A cluster of two shards on this machine, and a store on it.

The server library has no queue of distributed DDL: what a statement says with ON CLUSTER is done here, on each node.
Nor does it take inserts into replicated tables, so each shard has one copy.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import clickhouse_connect
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store import Store

from tests.support.clickhouse_process import ClickHouseProcess
from tests.support.leaks import expect_process
from tests.support.ports import free_port

CLUSTER = "two_shards"

_ON_CLUSTER = re.compile(r"ON CLUSTER '\w+'")


class ClusterStore(Store):
    """A store that asks the first node, as a collector beside it would."""

    def __init__(self, settings: StoreSettings, data_dir: Path, nodes: Sequence[ClickHouseProcess]) -> None:
        super().__init__(settings, data_dir)
        self._nodes = [clickhouse_connect.get_client(dsn=node.url) for node in nodes]

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object:
        """Runs one statement, on every node where it says so."""
        here, occurrences = _ON_CLUSTER.subn("", sql)
        if not occurrences:
            return super().command(sql, parameters)
        return [node.command(here, parameters=parameters) for node in self._nodes]

    def close(self) -> None:
        """Closes every client."""
        super().close()
        for node in self._nodes:
            node.close()


@contextmanager
def running_cluster(directory: Path) -> Iterator[list[ClickHouseProcess]]:
    """Two servers that know each other as the cluster `two_shards`. Raises LibraryUnavailable."""
    ports = [free_port(), free_port()]
    with ExitStack() as running:
        nodes = []
        for number, port in enumerate(ports):
            configuration = _configuration(directory / f"node-{number}.xml", ports)
            node = ClickHouseProcess(directory / f"node-{number}", config_d=(configuration,), tcp_port=port)
            node.start()
            running.callback(shutil.rmtree, node.data, ignore_errors=True)
            running.callback(node.kill)
            expect_process(node.pid)
            nodes.append(node)
        yield nodes


def _configuration(path: Path, ports: Sequence[int]) -> Path:
    shards = "".join(f"<shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>" for port in ports)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<clickhouse><remote_servers><{CLUSTER}>{shards}</{CLUSTER}></remote_servers></clickhouse>")
    return path
