"""Names are unique, bases are found, finished experiments stay as they are."""

from __future__ import annotations

import pytest
from spanloop_collector.errors import ConflictError, InvalidRequestError, NotFoundError, PermissionDeniedError
from spanloop_collector.experiments.door import experiment_ids

from tests.collector.experiments.cases import case, store_cases
from tests.collector.experiments.conftest import Experiments
from tests.collector.schema.spans import request, span


async def test_taken_names_get_a_suffix(experiments: Experiments) -> None:
    names = [(await experiments.create("prompt v2"))["name"] for _ in range(3)]
    assert names == ["prompt v2", "prompt v2-2", "prompt v2-3"]
    assert (await experiments.create("prompt v2", project="other"))["name"] == "prompt v2"


async def test_nameless_experiments_are_named_after_their_branch(experiments: Experiments) -> None:
    made = await experiments.create(repo_info={"branch": "faster", "commit": "c1"})
    assert made["name"].startswith("faster-20")
    assert made["repo_info"] == {"branch": "faster", "commit": "c1"}


async def test_update_continues_until_the_experiment_is_finished(experiments: Experiments) -> None:
    first = await experiments.create("run")
    assert (await experiments.create("run", update=True))["id"] == first["id"]
    await experiments.finish("run")
    with pytest.raises(ConflictError, match="experiment 'run' was finished at"):
        await experiments.create("run", update=True)


async def test_base_is_explicit_then_stored_then_git_ancestor_then_most_recent(experiments: Experiments) -> None:
    old = await experiments.create("old", repo_info={"commit": "c1"})
    near = await experiments.create("near", repo_info={"commit": "c2"})
    await experiments.create("elsewhere", repo_info={"commit": "d9"})
    later = await experiments.create("later", repo_info={"commit": "c4", "ancestors": ["c3", "c2", "c1"]})
    assert (await experiments.get(old["id"]))["base_reason"] == ""

    async def base_of(experiment: str, **fields: str) -> tuple[str, str]:
        found = await experiments.get(experiment, **fields)
        return found["base"]["name"], found["base_reason"]

    assert await base_of("near") == ("old", "most recent")
    assert await base_of("later") == ("near", "git ancestor")
    assert await base_of("later", base="old") == ("old", "explicit")
    # Of several evals in a project each is compared with itself.
    for name, commit in (("answers", "c8"), ("gate", "c9"), ("answers", "c9"), ("answers", "c0"), ("gate", "c7")):
        await experiments.create(name, repo_info={"commit": commit, "ancestors": ["c8"] if commit == "c9" else []})
    assert await base_of("answers-2") == ("answers", "git ancestor")
    assert await base_of("answers-3") == ("answers-2", "most recent")
    assert await base_of("gate-2") == ("gate", "most recent")
    stored = await experiments.create("stored", base="old", repo_info={"commit": "c4"})
    assert stored["base_id"] == old["id"]
    assert await base_of("stored") == ("old", "stored")
    assert near["id"] != later["id"]


async def test_unknown_experiments_are_named(experiments: Experiments) -> None:
    with pytest.raises(
        NotFoundError, match="experiment: there is no experiment 'nope' in project 'p'; say its project"
    ):
        await experiments.get("nope")
    with pytest.raises(NotFoundError, match="base: there is no experiment 'nope'"):
        await experiments.create("x", base="nope")


async def test_another_projects_experiments_do_not_exist(experiments: Experiments) -> None:
    made = await experiments.create("secret")
    stranger = experiments.of_project("other")
    with pytest.raises(PermissionDeniedError):
        await stranger.get(made["id"])
    with pytest.raises(NotFoundError):
        await stranger.get(made["id"], project="")


async def test_metadata_that_is_no_object_is_refused(experiments: Experiments) -> None:
    with pytest.raises(InvalidRequestError, match="metadata: expected an object"):
        await experiments.create("x", metadata=[1])


async def test_rows_for_a_finished_experiment_are_refused_and_the_others_pass(experiments: Experiments) -> None:
    done, going = await experiments.create("done"), await experiments.create("going")
    both = request(case(done["id"], "a"), case(going["id"], "b"), span())
    assert (await experiments.door.let_pass(both)).rejected == 0
    finished = await experiments.finish("done")
    assert finished["finished"] > finished["created"]

    passed = await experiments.door.let_pass(both)
    assert passed.rejected == 1
    assert f"experiment {done['id']} is finished and takes no more rows" in passed.reason
    assert experiment_ids(passed.payload) == {going["id"]}
    with pytest.raises(ConflictError, match="is finished"):
        await experiments.door.let_pass(request(case(done["id"], "a")))


async def test_experiment_finished_by_another_collector_is_closed_here_too(experiments: Experiments) -> None:
    made = await experiments.create("run")
    await experiments.finish("run")
    experiments.door._finished.clear()
    with pytest.raises(ConflictError):
        await experiments.door.let_pass(request(case(made["id"], "a")))


async def test_text_about_the_attribute_is_no_experiment(experiments: Experiments) -> None:
    payload = request(span({"spanloop.input": "what is spanloop.experiment_id\x12\x03\x0a\x01x?"}))
    experiments.door.close("x")
    assert (await experiments.door.let_pass(payload)).payload == payload


async def test_rows_lie_beside_production(experiments: Experiments) -> None:
    made = await experiments.create("run")
    store_cases(experiments.store, case(made["id"], "a"), span(name="production"))
    database = experiments.store.database
    assert experiments.store.column(f"SELECT name FROM {database}.logs") == ["production"]
    assert experiments.store.column(f"SELECT name FROM {database}.experiments") == ["run"]
    assert experiments.store.column(f"SELECT input FROM {database}.eval_rows") == ['"a"']


async def test_keys_of_a_project_see_its_experiments_only(experiments: Experiments) -> None:
    for project in ("p", "other"):
        made = await experiments.create("run", project=project)
        row = case(made["id"], project)
        store_cases(experiments.store, row, project=project)
    await experiments.create("empty")
    await experiments.finish("run")
    (row_id,) = experiments.store.column(f"SELECT id FROM {experiments.store.database}.eval_rows WHERE project = 'p'")
    await experiments.add_scores("run", {"id": row_id, "name": "later", "score": 1})
    own = experiments.of_project("p")
    assert await own.sql("SELECT name, finished IS NOT NULL AS done FROM experiments ORDER BY name") == [
        {"name": "empty", "done": 0},
        {"name": "run", "done": 1},
    ]
    assert await own.sql("SELECT input FROM eval_rows") == [{"input": '"p"'}]
    assert await own.sql("SELECT name, score FROM experiment_scores") == [{"name": "later", "score": 1}]
    stranger = experiments.of_project("other")
    assert await stranger.sql("SELECT name FROM experiment_scores") == []
    assert await stranger.sql("SELECT project FROM experiments") == [{"project": "other"}]
