"""`python -m spanloop.eval FILES…`."""

from __future__ import annotations

import sys

from spanloop.eval.command import main

if __name__ == "__main__":
    sys.exit(main())
