"""Entry of the `spanloop` command: runs it, and turns failures into one line and an exit code.

Exit codes: 0 done, 1 it did not work, 2 used wrongly or configured wrongly, 130 interrupted.
"""

from __future__ import annotations

import os
import sys

from spanloop_collector.errors import ConfigError, SpanloopError

INSTALL_LINE = 'pip install "spanloop[collector]"'


def main() -> None:
    """Runs the command line."""
    try:
        from spanloop_collector.cli.app import command_line

        app = command_line(asked=sys.argv[1] if len(sys.argv) > 1 else "")
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package.startswith("spanloop"):
            raise
        _fail(f"{package} is missing, which the collector needs; run: {INSTALL_LINE}", code=1)
    try:
        app()
    except ConfigError as error:
        _fail(str(error), code=2)
    except SpanloopError as error:
        _fail(str(error), code=1)
    except BrokenPipeError:
        # The reader of our output has seen enough, as in `spanloop sql ... | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str, *, code: int) -> None:
    print(f"spanloop: {message}", file=sys.stderr)
    sys.exit(code)
