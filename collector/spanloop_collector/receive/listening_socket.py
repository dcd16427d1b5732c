"""The socket behind a port."""

from __future__ import annotations

import socket

from spanloop_collector.configuration.rules import split_address
from spanloop_collector.errors import ConfigError

BACKLOG = 1024


def listen(setting: str, address: str) -> socket.socket:
    """A socket that listens on `host:port`; raises ConfigError, naming the setting, when the address cannot be had."""
    host, port = split_address(setting, address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # `::` stands for every address of the machine.
    is_dual = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_dual)
    except OSError as error:
        raise ConfigError(
            f"{setting}={address} cannot be listened on: {error.strerror}; is another collector running? "
            f"Choose another port with --{setting.replace('.', '-').replace('_', '-')}"
        ) from error
