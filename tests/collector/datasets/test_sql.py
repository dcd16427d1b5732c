"""The views of datasets through the SQL endpoint: a key of one project sees its own."""

from __future__ import annotations

import pytest
from spanloop_collector.errors import QueryError
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import QuerySettings

from tests.collector.datasets.service import Service

VIEWS = ("datasets", "dataset_rows", "dataset_versions", "dataset_snapshots", "lineage")


async def test_a_key_of_one_project_sees_its_datasets_only(service: Service) -> None:
    for project in ("shop", "bank"):
        dataset = await service.create(project=project)
        origin = {"object_type": "project_logs", "object_id": project, "id": "s"}
        await service.write(dataset, {"id": "1", "input": project, "origin": origin})
        await service.call("CreateDatasetSnapshot", dataset_id=dataset, name="v1")
    queries = Queries(service.store, QuerySettings())
    try:
        shop = Principal("k1", "shop", frozenset({Scope.READ}))
        for view in VIEWS:
            seen = await queries.run(f"SELECT DISTINCT project FROM {view}", principal=shop)
            assert seen.data.decode().split() == ["shop"], view
            every = await queries.run(f"SELECT uniq(project) FROM {view}", principal=Principal.anonymous())
            assert every.data.decode().split() == ["2"], view
        found = await queries.run(
            "SELECT dataset, input FROM dataset_rows WHERE dataset = 'golden' AND throwIf(input = '\"bank\"') = 0",
            principal=shop,
        )
        assert found.data.decode().split() == ["golden", '"shop"']
        with pytest.raises(QueryError, match="table newest_dataset_rows is not allowed"):
            await queries.run("SELECT * FROM newest_dataset_rows", principal=shop)
    finally:
        await queries.close()
