"""Writes the lock files: `python deploy/lock.py` (needs `uv`).

`requirements.lock` holds what development and CI use, `deploy/requirements.lock` what the container image holds:
exact versions with hashes, for every supported Python and platform. Install with
`pip install --require-hashes -r FILE`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = {
    "requirements.lock": (
        *("collector", "anthropic", "google-genai", "openai", "dev"),
        *("bedrock", "crewai", "dspy", "langchain", "llama-index", "mcp", "openai-agents"),
    ),
    "deploy/requirements.lock": ("collector",),
}


def main() -> None:
    """Resolves anew, to the newest versions that `pyproject.toml` allows."""
    for name, extras in LOCKS.items():
        subprocess.run(compile_command(name, extras), cwd=ROOT, check=True)


def compile_command(name: str, extras: tuple[str, ...]) -> list[str]:
    """The resolver's command line; no index address ends up in the file."""
    return [
        *("uv", "pip", "compile", "--quiet", "--upgrade", "pyproject.toml"),
        *("--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "python deploy/lock.py"),
        *(part for extra in extras for part in ("--extra", extra)),
        *("--no-emit-package", "spanloop", "--output-file", name),
    ]


if __name__ == "__main__":
    main()
