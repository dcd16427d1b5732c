"""Rules made, tried, changed and put to past rows: API, command line, YAML and Python."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest
import yaml
from spanloop.scoring import ScorerSpec, delete_rule, list_rules, put_rule
from spanloop.scoring.builtins import BUILTINS
from spanloop_collector.cli.app import command_line
from spanloop_collector.client import ApiError
from typer.testing import CliRunner

from tests.collector.score.conftest import SCORERS, Project
from tests.collector.score.test_online import verdict

README = Path(__file__).parents[3] / "README.md"


def run(project: Project, *arguments: str) -> str:
    """What the command prints; in this process, which is quicker than one of its own."""
    result = CliRunner().invoke(command_line(arguments[0]), arguments, env={"SPANLOOP_API_URL": project.client.url})
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def test_the_same_rule_again_changes_nothing_and_each_change_is_a_version(project: Project) -> None:
    first = put_rule("r", scorers=["is_json"], filter="type='llm'", project=project.name, api_url=project.client.url)
    again = project.client.post("/v1/scoring-rules", {"rule": first})
    slower = project.rule("r", "is_json", filter="type = 'llm'", sampling_rate=0.5)
    other = put_rule(
        "r",
        scorers=["is_json", ScorerSpec("contains", "c", {"text": "a"})],
        filter="type = 'llm'",
        project=project.name,
        api_url=project.client.url,
    )

    assert again["outcome"] == "unchanged"
    assert [(rule["version"], rule["revision"]) for rule in (first, again["rule"], slower, other)] == [
        (1, 1),
        (1, 1),
        # Only the rate: what was scored needs no scoring again.
        (2, 1),
        (3, 3),
    ]
    changes = project.sql("version, action", view="audit_log", where="kind = 'scoring_rule'")
    assert [(change["version"], change["action"]) for change in changes] == [
        (1, "created"),
        (2, "changed"),
        (3, "changed"),
    ]
    delete_rule("r", project=project.name, api_url=project.client.url)
    assert list_rules(project=project.name, api_url=project.client.url) == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"name": "a/b"}, r"rule\.name: expected 1 to 100 letters"),
        ({"scorers": []}, r"rule\.scorers: a rule needs at least one"),
        ({"scorers": [{"use": "exact"}]}, r"rule\.scorers\[0\]: there is no scorer 'exact'; built in are contains,"),
        ({"scorers": [{"use": "autoevals.Nothing"}]}, r"rule\.scorers\[0\]: autoevals has no scorer 'Nothing'"),
        ({"scorers": [{"use": "matches"}]}, r"rule\.scorers\[0\]: scorer 'matches' asks for 'pattern'"),
        ({"scorers": [{"use": "judge", "options": {"prompt": "x"}}]}, r"options of the judge: missing .*'choices'"),
        (
            {"scorers": [{"use": "judge", "options": {"prompt": "x", "choices": {"a": 1, "b": 0}}}]},
            r"judge\.prompt names nothing of the row",
        ),
        (
            {"scorers": [{"use": "autoevals.Factuality", "options": {"base_url": "https://elsewhere.example"}}]},
            r"rule\.scorers\[0\]\.options\.base_url: is not taken from callers; OPENAI_BASE_URL",
        ),
        ({"scorers": [{"use": "is_json"}, {"use": "is_json"}]}, r"two scorers are called 'is_json'"),
        ({"sampling_rate": 1.5}, r"rule\.sampling_rate: expected a number from 0 to 1, got 1\.5"),
        ({"filter": "nothing > 1"}, r"rule\.filter: .*nothing"),
        ({"boosts": [{"filter": "type =", "sampling_rate": 1}]}, r"rule\.boosts\[0\]\.filter: Syntax error"),
        ({"scope": {"type": "session"}}, r"rule\.scope\.type: expected one of span, trace, group"),
        ({"scope": {"type": "group"}}, r"rule\.scope\.group_by: is needed for scope group"),
        ({"scope": {"type": "trace", "root_spans": True}}, r"rule\.scope\.span_names: only scope span"),
        ({"budget": {"cost_per_day": -1}}, r"rule\.budget\.cost_per_day: expected 0 or more"),
    ],
)
def test_what_is_wrong_is_named(project: Project, rule: dict[str, object], message: str) -> None:
    wanted = {"name": "r", "project": project.name, "scorers": [{"use": "is_json"}], **rule}
    with pytest.raises(ApiError, match=message) as caught:
        project.client.post("/v1/scoring-rules", {"rule": wanted})
    assert caught.value.status == 400


def test_rules_of_the_readme_are_tried_applied_and_pruned(project: Project, tmp_path: Path) -> None:
    (block,) = re.findall(r"^```yaml\n(# rules\.yaml.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    rules = yaml.safe_load(block)
    rules["rules"][0] |= {"project": project.name, "sampling_rate": 1.0}
    scorers = rules["rules"][0]["scorers"]
    rules["rules"][0]["scorers"] = [scorers[0], scorers[1], "mine:is_polite", scorers[3]]
    assert [each["use"] if isinstance(each, dict) else each for each in scorers[2:]] == [
        "my_scorers:is_polite",
        "judge",
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(rules))
    mine = tmp_path / "mine.py"
    mine.write_text(SCORERS.read_text())
    project.rule("old", "is_json")
    project.log("a", output="please", expected="please")
    # The collector's provider: here nobody has a key. The module is one that the collector does not have.
    project.provider.will(verdict("partly"))

    tried = run(project, "rules", "test", "answers", "--file", str(file), "--module", str(mine))
    applied = [run(project, "rules", "apply", str(file), "--prune").split() for _ in range(2)]
    listed = run(project, "rules", "list", "--project", project.name)

    assert tried.startswith("last 24 h: matched 1, sampled 1, calls of scorers 4, cost "), tried
    assert re.search(r"a +\"please\"|a .*please.* 1 +1 +1 +0\.5", tried)
    assert applied == [
        ["created", f"{project.name}/answers", "deleted", f"{project.name}/old"],
        ["unchanged", f"{project.name}/answers"],
    ]
    assert "brief, Levenshtein, is_polite, helpful" in listed
    assert "waiting" in run(project, "rules", "status", "--project", project.name)


def test_the_command_line_makes_rules_of_every_scope(project: Project) -> None:
    made = partial(run, project, "rules", "create", "r", "--project", project.name, "--scorer", "is_json", "--disabled")
    kept = ("type", "root_spans", "span_names", "group_by", "placement", "interval_seconds", "idle_seconds")

    def scope() -> tuple[object, ...]:
        (rule,) = project.client.get("/v1/scoring-rules", project=project.name)["rules"]
        assert not rule["enabled"]
        return tuple(rule["scope"][name] for name in kept)

    made("--root-spans", "--span-name", "a", "--span-name", "b")
    assert scope() == ("span", True, ["a", "b"], "", "first", 0, 30)
    made("--scope", "trace", "--idle", "5")
    assert scope() == ("trace", False, [], "", "first", 0, 5)
    made("--scope", "group", "--group-by", "metadata.session_id", "--interval", "60", "--cost-per-day", "1.5")
    assert scope() == ("group", False, [], "metadata['session_id']", "each", 60, 30)
    (rule,) = project.client.get("/v1/scoring-rules", project=project.name)["rules"]
    assert rule["budget"]["cost_per_day"] == 1.5


def test_a_file_says_which_of_its_rules_is_wrong_and_prunes_its_own_project(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"

    def applied(*options: str) -> str:
        result = CliRunner().invoke(
            command_line("rules"), ["rules", "apply", str(file), *options], env={"SPANLOOP_API_URL": url}
        )
        return result.stdout if result.exit_code == 0 else str(result.exception)

    url = project.client.url
    good = "rules:\n  - {name: good, scorers: is_json}\n"
    file.write_text(good + "  - {name: bad, scorers: is_json, filter: 'type = '}\n")
    refused = applied("--project", project.name)
    assert refused.startswith(f"{file}: rules[1]: rule.filter: Syntax error: failed at its end")
    file.write_text(good + "  - {name: good, scorers: no_error}\n")
    assert applied("--project", project.name) == f"{file}: rules[1]: has the name 'good' of rules[0]"
    file.write_text("rules: []")
    assert applied("--prune") == ""
    assert applied("--prune", "--project", project.name) == f"deleted   {project.name}/good\n"


def test_scorers_that_rules_can_name_are_listed(project: Project) -> None:
    scorers = {each["use"]: each["description"] for each in project.client.get("/v1/scorers")["scorers"]}
    assert scorers.keys() >= {*BUILTINS, "judge", "autoevals.Levenshtein"}
    assert all(scorers.values())
    assert "autoevals.Levenshtein" in run(project, "rules", "scorers")


def test_past_rows_are_put_through_a_rule_once(project: Project) -> None:
    project.log_all(*({"id": f"r{n}", "output": "please" if n % 2 else "stop"} for n in range(30)))
    project.sql("1", view="logs")
    project.rule("late", "scorers:is_polite", filter="output != '\"none\"'", enabled=False)

    def backfill(*options: str) -> str:
        return run(project, "rules", "backfill", "late", "--project", project.name, *options)

    chosen = backfill("--where", "id IN ('r1', 'r2')")
    every = backfill()
    again = backfill("--again", "--where", "id = 'r3'")

    assert "done: matched 2, queued 2, done 2" in chosen
    assert "done: matched 30, queued 30, done 30" in every
    assert "done: matched 1, queued 1, done 1" in again
    listed = run(project, "rules", "backfills", "--project", project.name)
    assert len(re.findall(r" late +done ", listed)) == 3
    results = project.results(30)
    assert len(results) == 30
    assert sum(r["score"] for r in results) == 15
    runs = {r["id"]: r["scored"] for r in results}
    assert runs["r1"] < runs["r0"] < runs["r3"]
    counted = "matched, scored, waiting, lag_p50, backfilled, backfill_waiting"
    assert project.sql(counted, view="scoring_rule_status") == [
        {"matched": 0, "scored": 0, "waiting": 0, "lag_p50": None, "backfilled": 30, "backfill_waiting": 0}
    ]


def test_failed_rows_are_tried_again_on_demand(project: Project, tmp_path: Path) -> None:
    project.rule("flaky", {"use": "scorers:fails_once", "name": "flaky", "max_attempts": 1}, "is_json")
    project.log_all(
        {"id": "a", "output": "x", "metadata": {"seen": str(tmp_path / "seen")}},
        {"id": "b", "output": "x", "metadata": {"seen": str(SCORERS)}},
    )
    project.settled("flaky", 4)
    flaky = "name = 'flaky'"
    first = {r["id"]: r["status"] for r in project.results(2, where=flaky)}

    done = run(project, "rules", "backfill", "flaky", "--failed", "--project", project.name)

    assert first == {"a": "failed", "b": "scored"}
    assert "done: matched 1, queued 1, done 1" in done
    again = {r["id"]: (r["status"], r["score"]) for r in project.results(2, where=flaky)}
    assert again == {"a": ("scored", 1), "b": ("scored", 1)}
    assert json.loads(
        project.sql("output", view="logs", where=f"type = 'score' AND {flaky}", order="output")[0]["output"]
    )
