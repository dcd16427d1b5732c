"""Lets clickhouse-connect send a file's bytes without reading them: the kernel moves them (sendfile)."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from clickhouse_connect.driver.httputil import check_env_proxy, get_pool_manager
from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection

from spanloop_collector.store.address import ServerAddress


def file_sending_pool(address: ServerAddress) -> PoolManager | None:
    """Connections that do so; None where there is TLS or a proxy between, which are left to clickhouse-connect.

    Those take a file too, and read it.
    """
    if address.is_secure or check_env_proxy("http", address.host, address.port):
        return None
    return _pool()


@cache
def _pool() -> PoolManager:
    pool: PoolManager = get_pool_manager()
    pool.pool_classes_by_scheme = pool.pool_classes_by_scheme | {"http": _Pool}
    return pool


class _Connection(HTTPConnection):
    def send(self, data: Any) -> None:
        """A file goes as it is, past this process; it is not read into it."""
        if isinstance(data, io.BufferedReader):
            self.sock.sendfile(data)
        else:
            super().send(data)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection
