"""Writes the Python code of the contract: `python proto/generate.py`.

Turns `proto/spanloop/v1/*.proto` into messages, type stubs and gRPC stubs in `instrumentation/spanloop/v1/`.
With `--check` nothing is written and the exit code says whether the committed code is up to date.

protoc makes code that refuses any protobuf or grpcio older than the generator's own. The descriptors in it
need no such thing, so the code is set to what pyproject.toml asks for: users keep the versions their other
packages want, and the output is the same whichever generator made it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc  # type: ignore[import-untyped]  # ships no types

PROTO_ROOT = Path(__file__).resolve().parent
PACKAGE = Path("spanloop/v1")
OLDEST_PROTOBUF = (6, 33, 0)
OLDEST_GRPCIO = "1.80.0"
GENERATED = PROTO_ROOT.parent / "instrumentation" / PACKAGE
INIT = '"""Messages and gRPC stubs of the API, generated from `proto/spanloop/v1` by `proto/generate.py`."""\n'


def main() -> int:
    """Generates, or compares with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the code is stale")
    options = parser.parse_args()
    stale = differences(generate(), read_committed())
    if options.check:
        print("\n".join(f"stale: {name}" for name in stale) or "up to date")
        return 1 if stale else 0
    write(generate())
    print("\n".join(f"wrote {GENERATED / name}" for name in stale) or "up to date")
    return 0


def generate() -> dict[str, str]:
    """The generated files by name, as protoc makes them from the .proto files now."""
    with tempfile.TemporaryDirectory() as folder:
        run_protoc(Path(folder))
        made = {path.name: path.read_text() for path in sorted((Path(folder) / PACKAGE).iterdir())}
    useful = {name: ask_for_oldest(text) for name, text in made.items() if has_code(name, text)}
    return {"__init__.py": INIT, **useful}


def has_code(name: str, text: str) -> bool:
    """False for the gRPC stub of a file without services."""
    return not name.endswith("_grpc.py") or "class " in text


def ask_for_oldest(text: str) -> str:
    """The generated code with the versions it demands lowered to those of pyproject.toml."""
    major, minor, patch = OLDEST_PROTOBUF
    text = re.sub(r"# Protobuf Python Version: .*", f"# Protobuf Python Version: {major}.{minor}.{patch}", text)
    text = re.sub(r"(Domain\.PUBLIC,)\s+\d+,\s+\d+,\s+\d+,", rf"\1\n    {major},\n    {minor},\n    {patch},", text)
    return re.sub(r"GRPC_GENERATED_VERSION = '.*'", f"GRPC_GENERATED_VERSION = '{OLDEST_GRPCIO}'", text)


def run_protoc(target: Path) -> None:
    """Calls the protoc that comes with grpcio-tools."""
    sources = sorted(str(path.relative_to(PROTO_ROOT)) for path in (PROTO_ROOT / PACKAGE).glob("*.proto"))
    arguments = [
        "protoc",
        f"--proto_path={PROTO_ROOT}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        f"--python_out={target}",
        f"--pyi_out={target}",
        f"--grpc_python_out={target}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed; its message is above")


def read_committed() -> dict[str, str]:
    """The generated files as they are in the working tree."""
    return {path.name: path.read_text() for path in GENERATED.glob("*.py*") if path.suffix in (".py", ".pyi")}


def differences(made: dict[str, str], committed: dict[str, str]) -> list[str]:
    """Names of files that are missing, left over or different."""
    return sorted(name for name in made.keys() | committed.keys() if made.get(name) != committed.get(name))


def write(made: dict[str, str]) -> None:
    """Replaces the generated files, removing those that no .proto file makes any more."""
    GENERATED.mkdir(parents=True, exist_ok=True)
    for name in read_committed().keys() - made.keys():
        (GENERATED / name).unlink()
    for name, text in made.items():
        (GENERATED / name).write_text(text)


if __name__ == "__main__":
    sys.exit(main())
