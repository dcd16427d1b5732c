"""Versions of datasets: listed, named, compared, restored; and the registry of datasets themselves."""

from __future__ import annotations

import pytest
from spanloop_collector.errors import InvalidRequestError, NotFoundError

from tests.collector.datasets.service import Service


async def make_history(service: Service) -> tuple[str, str]:
    """A dataset and its first version, with an update, a deletion and an insertion after it."""
    dataset = await service.create()
    rows = [{"id": id, "input": id, "expected": 1} for id in "abc"]
    first = (await service.write(dataset, *rows))["version"]
    await service.call("CreateDatasetSnapshot", dataset_id=dataset, name="release", description="first")
    await service.write(dataset, {"id": "a", "expected": 2, "metadata": {"k": 1}}, is_merge=True)
    await service.call("DeleteDatasetRows", dataset_id=dataset, ids=["b"])
    await service.write(dataset, {"id": "d", "input": "d"})
    return dataset, first


async def test_every_change_is_a_version(service: Service) -> None:
    dataset, first = await make_history(service)
    versions = (await service.call("ListDatasetVersions", dataset_id=dataset))["versions"]
    told = [(v["operation"], v["inserted"], v["updated"], v["deleted"], v["snapshots"]) for v in versions]
    assert told == [
        ("insert", 1, 0, 0, []),
        ("delete", 0, 0, 1, []),
        ("update", 0, 1, 0, []),
        ("insert", 3, 0, 0, ["release"]),
    ]
    assert [v["version"] for v in versions] == sorted((v["version"] for v in versions), reverse=True)
    assert versions[-1]["version"] == first


@pytest.mark.parametrize("by_name", [True, False])
async def test_rows_are_read_as_they_were(service: Service, by_name: bool) -> None:
    dataset, first = await make_history(service)
    rows = await service.rows(dataset, "id", "expected", version="release" if by_name else first)
    assert rows == [("a", 1), ("b", 1), ("c", 1)]
    assert await service.rows(dataset, "id", "expected") == [("a", 2), ("c", 1), ("d", None)]


async def test_a_diff_tells_rows_and_fields_in_both_directions(service: Service) -> None:
    dataset, first = await make_history(service)
    diff = await service.call("DiffDatasetVersions", dataset_id=dataset, from_version="release")
    assert (diff["added"], diff["removed"], diff["changed"]) == (1, 1, 1)
    assert [(row["id"], row["change"], row["fields"]) for row in diff["rows"]] == [
        ("a", "changed", ["expected", "metadata"]),
        ("b", "removed", ["input", "expected"]),
        ("d", "added", ["input"]),
    ]
    assert diff["rows"][0]["before"]["expected"] == 1
    assert diff["rows"][0]["after"]["expected"] == 2
    back = await service.call(
        "DiffDatasetVersions", dataset_id=dataset, from_version=diff["to_version"], to_version=first, limit=1
    )
    assert (back["added"], back["removed"], back["changed"], len(back["rows"])) == (1, 1, 1, 1)


async def test_restoring_is_a_new_version_and_loses_nothing(service: Service) -> None:
    dataset, first = await make_history(service)
    before = await service.rows(dataset, "id", "expected")
    head = (await service.call("GetDataset", dataset_id=dataset))["dataset"]["version"]
    looked = await service.call("RestoreDataset", dataset_id=dataset, version="release", dry_run=True)
    assert looked == {"rows_to_restore": 2, "rows_to_delete": 1, "version": ""}
    done = await service.call("RestoreDataset", dataset_id=dataset, version="release")
    assert (done["rows_to_restore"], done["rows_to_delete"]) == (2, 1)
    assert await service.rows(dataset, "id", "expected") == [("a", 1), ("b", 1), ("c", 1)]
    assert await service.rows(dataset, "id", "expected", version=head) == before
    diff = await service.call("DiffDatasetVersions", dataset_id=dataset, from_version=first)
    assert (diff["added"], diff["removed"], diff["changed"]) == (0, 0, 0)
    assert (await service.call("RestoreDataset", dataset_id=dataset, version="release"))["version"] == ""


async def test_sql_sees_the_newest_rows(service: Service) -> None:
    await make_history(service)
    sql = f"SELECT dataset, id, input, expected, metadata FROM {service.store.database}.dataset_rows ORDER BY id"
    assert [tuple(row) for row in service.store.query(sql).result_rows] == [
        ("golden", "a", '"a"', "2", {"k": "1"}),
        ("golden", "c", '"c"', "1", {}),
        ("golden", "d", '"d"', "", {}),
    ]


async def test_a_snapshot_moves_and_goes(service: Service) -> None:
    dataset, first = await make_history(service)
    moved = await service.call("CreateDatasetSnapshot", dataset_id=dataset, name="release")
    assert moved["snapshot"]["version"] != first
    await service.call("CreateDatasetSnapshot", dataset_id=dataset, name="old", version=first)
    found = (await service.call("ListDatasetSnapshots", dataset_id=dataset))["snapshots"]
    assert [(each["name"], each["version"]) for each in found] == [
        ("old", first),
        ("release", moved["snapshot"]["version"]),
    ]
    await service.call("DeleteDatasetSnapshot", dataset_id=dataset, name="old")
    with pytest.raises(NotFoundError, match="has no version or snapshot 'old'"):
        await service.rows(dataset, "id", version="old")
    with pytest.raises(NotFoundError, match="has no snapshot 'old'"):
        await service.call("DeleteDatasetSnapshot", dataset_id=dataset, name="old")
    with pytest.raises(InvalidRequestError, match="not digits alone"):
        await service.call("CreateDatasetSnapshot", dataset_id=dataset, name="7")


async def test_a_dataset_is_made_once_and_described_anew(service: Service) -> None:
    made = await service.call(
        "CreateDataset", project="p", name="golden", description="d", metadata={"k": [1]}, tags=["t"]
    )
    again = await service.call("CreateDataset", project="p", name="golden", description="other")
    assert (made["is_new"], again["is_new"]) == (True, False)
    assert again["dataset"] == made["dataset"]
    id = made["dataset"]["id"]
    changed = await service.call("UpdateDataset", dataset_id=id, name="gold", input_schema={"type": "string"})
    expected = made["dataset"] | {"name": "gold", "input_schema": {"type": "string"}}
    assert changed["dataset"] == expected
    assert "input_schema" not in (await service.call("UpdateDataset", dataset_id=id, input_schema=None))["dataset"]
    await service.create("other")
    with pytest.raises(InvalidRequestError, match="project 'p' has another dataset 'other'"):
        await service.call("UpdateDataset", dataset_id=id, name="other")
    with pytest.raises(InvalidRequestError, match="name: a dataset needs a name"):
        await service.create(" ")


async def test_a_deleted_dataset_takes_its_rows_along(service: Service) -> None:
    dataset, _ = await make_history(service)
    await service.call("DeleteDataset", dataset_id=dataset)
    with pytest.raises(NotFoundError, match="there is no dataset"):
        await service.rows(dataset, "id")
    counts = [
        service.store.query(f"SELECT count() FROM {service.store.database}.{table}").result_rows[0][0]
        for table in ("dataset_row_versions", "dataset_snapshot_log")
    ]
    assert counts == [0, 0]
    # One of the same name starts empty, under another id.
    assert await service.create() != dataset
    [found] = (await service.call("ListDatasets", project="p"))["datasets"]
    assert (found["name"], found["row_count"], found["version"]) == ("golden", 0, "")


async def test_rows_of_a_change_that_was_cut_off_are_found_by_the_next_write(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = await service.create()
    await service.write(dataset, {"id": "a", "input": 1})
    with monkeypatch.context() as broken:
        broken.setattr("spanloop_collector.datasets.writer.record_change", _die)
        with pytest.raises(RuntimeError):
            await service.write(dataset, {"id": "b", "input": 2})
    assert await service.rows(dataset, "id") == [("a",)]
    # The sender tries again; the row is there already, and now it is read.
    assert (await service.write(dataset, {"id": "b", "input": 2}))["unchanged"] == 1
    assert await service.rows(dataset, "id") == [("a",), ("b",)]
    versions = (await service.call("ListDatasetVersions", dataset_id=dataset))["versions"]
    assert [each["operation"] for each in versions] == ["recover", "insert"]


def _die(*arguments: object) -> None:
    raise RuntimeError("the collector ends here")
