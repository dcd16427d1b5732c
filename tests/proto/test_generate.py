"""The generated code is what the .proto files say and asks for no newer packages than pyproject.toml."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from google.protobuf import descriptor
from spanloop.v1 import annotations_pb2, keys_pb2, query_pb2, rows_pb2, status_pb2

ROOT = Path(__file__).parents[2]
SERVICES = [
    service
    for module in (rows_pb2, query_pb2, keys_pb2, status_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
]


def option(described: descriptor.MethodDescriptor | descriptor.FieldDescriptor, extension: Any) -> Any:
    """Value of one of annotations.proto's options, which protoc's own stubs do not type."""
    return described.GetOptions().Extensions[extension]


@pytest.fixture
def generator() -> ModuleType:
    """proto/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "proto" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_code_is_up_to_date(generator: ModuleType) -> None:
    stale = generator.differences(generator.generate(), generator.read_committed())
    assert stale == [], "run `python proto/generate.py` and commit what it writes"


def test_a_changed_proto_file_is_noticed(generator: ModuleType) -> None:
    made = generator.generate()
    changed = made | {"rows_pb2.py": made["rows_pb2.py"] + "\n", "new_pb2.py": ""}
    assert generator.differences(changed, made) == ["new_pb2.py", "rows_pb2.py"]


def test_generated_code_asks_for_the_versions_of_pyproject(generator: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    protobuf = ".".join(str(part) for part in generator.OLDEST_PROTOBUF[:2])
    assert f"protobuf>={protobuf}" in project["dependencies"]
    grpcio = ".".join(generator.OLDEST_GRPCIO.split(".")[:2])
    assert f"grpcio>={grpcio}" in project["optional-dependencies"]["collector"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.full_name)
def test_every_operation_has_a_path_over_http(service: descriptor.ServiceDescriptor) -> None:
    routes: list[str] = [option(method, annotations_pb2.http) for method in service.methods]
    for route in routes:
        verb, path = route.split(" ")
        assert verb in ("GET", "POST", "DELETE")
        assert path.startswith("/v1/")
    assert len(set(routes)) == len(routes)


def test_json_fields_are_strings() -> None:
    fields = [
        field
        for message in rows_pb2.DESCRIPTOR.message_types_by_name.values()
        for field in message.fields
        if option(field, annotations_pb2.json)
    ]
    assert fields
    assert {field.type for field in fields} == {descriptor.FieldDescriptor.TYPE_STRING}
