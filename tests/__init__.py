"""Tests of both packages; `python -m tests` runs every check (see `__main__.py`)."""
