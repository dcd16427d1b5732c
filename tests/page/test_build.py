"""The built files are those of the sources: by their hashes everywhere, by building again where there is Node."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "collector/page"
HOW = "build the page again: cd collector/page && npm ci && npm run build"
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]


def sources() -> dict[str, str]:
    """SHA-256 of each source by its path."""
    names = ["build.mjs", "package.json", "package-lock.json", "tsconfig.json"]
    paths = [SOURCE / name for name in names]
    paths += [path for folder in ("src", "public") for path in (SOURCE / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(SOURCE)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_built_files_belong_to_these_sources(static: Path) -> None:
    built_from = json.loads((static / "manifest.json").read_text())["sources"]
    assert built_from == sources(), HOW


def test_lock_file_names_no_registry() -> None:
    packages = json.loads((SOURCE / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in packages.items() if name)


def test_building_again_gives_the_same_bytes(static: Path, tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is missing: the hashes of the sources were compared only")
    work = tmp_path / "page"
    shutil.copytree(SOURCE, work, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(INSTALL, cwd=work, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"the page's packages cannot be installed here: {installed.stderr[-300:]}")
    subprocess.run(["npx", "tsc", "--noEmit"], cwd=work, check=True)
    subprocess.run(["node", "build.mjs", str(tmp_path / "static")], cwd=work, check=True)
    assert contents(tmp_path / "static") == contents(static), HOW


def contents(folder: Path) -> dict[str, str]:
    """The hash of each file by its path."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
