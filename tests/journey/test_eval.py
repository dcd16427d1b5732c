"""Evals all the way: from the call of `Eval` to rows, comparison and words, against a running collector."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import spanloop
from spanloop import BaseExperiment, Eval, EvalHooks, init_experiment
from spanloop._api import ApiError
from spanloop.eval import MixedLoggingError
from spanloop.eval._shards import INSTALL_LINE
from spanloop.eval.command import main

from tests.support.collector_process import CollectorProcess
from tests.support.command import spanloop as command
from tests.support.command_here import ask_here
from tests.support.ports import free_port
from tests.support.waiting import wait_until

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture
def project(shared_collector: CollectorProcess, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project of this test alone, with the environment of an application that uses the shared collector."""
    for name, value in environment(shared_collector).items():
        monkeypatch.setenv(name, value)
    return f"evals-{uuid.uuid4().hex[:8]}"


def environment(collector: CollectorProcess) -> dict[str, str]:
    return {"SPANLOOP_ENDPOINT": f"http://{collector.grpc_address}", "SPANLOOP_API_URL": collector.api_url}


def double(input: int) -> int:
    return input * 2


def right(output: int, expected: int) -> bool:
    return output == expected


CASES = [{"input": n, "expected": n * 2} for n in range(8)]


def rows(collector: CollectorProcess, project: str, columns: str, condition: str = "is_root") -> list[dict[str, Any]]:
    return collector.sql(
        f"SELECT {columns} FROM eval_rows WHERE project = '{project}' AND {condition} ORDER BY created"
    )


def test_eval_is_recorded_finished_and_compared(shared_collector: CollectorProcess, project: str) -> None:
    @spanloop.traced(type="tool")
    def look_up(input: int) -> int:
        return input * 2

    first = Eval(project, CASES, look_up, [right], experiment_name="first", metadata={"model": "a"})
    assert (first.summary.experiment_name, first.summary.scores["right"].score) == ("first", 1.0)
    assert first.not_recorded == 0

    def worse(input: int, hooks: EvalHooks) -> int:
        hooks.metadata["area"] = "odd" if input % 2 else "even"
        if input == 7:
            raise KeyError("seven")
        return look_up(input if input < 2 else 0)

    second = Eval(project, CASES, worse, [right], experiment_name="second", tags=["t"])
    score = second.summary.scores["right"]
    assert second.summary.comparison_experiment_name == "first"
    assert (score.diff, score.improvements, score.regressions, score.verdict) == (
        pytest.approx(-5 / 7),
        0,
        5,
        "unclear",
    )
    assert second.failed_total == 1

    stored = rows(
        shared_collector, project, "input, output, error, scores, metadata", "is_root AND metadata['area'] = 'odd'"
    )
    assert [(row["input"], row["scores"].get("right")) for row in stored] == [("1", 1), ("3", 0), ("5", 0), ("7", None)]
    assert stored[-1]["error"] == "KeyError: 'seven'"
    inner = rows(shared_collector, project, "name, type", "name = 'look_up'")
    assert len(inner) == 15
    assert shared_collector.sql(f"SELECT count() AS n FROM logs WHERE project = '{project}'") == [{"n": 0}]
    finished = shared_collector.sql(
        f"SELECT name, finished IS NOT NULL AS f FROM experiments WHERE project = '{project}'"
    )
    assert sorted(row["name"] for row in finished if row["f"]) == ["first", "second"]


def test_rows_for_a_finished_experiment_are_refused(shared_collector: CollectorProcess, project: str) -> None:
    experiment = init_experiment(project, "done")
    experiment.log(input=1, output=2, scores={"right": 1})
    experiment.finish()
    before = spanloop.stats().refused
    experiment.log(input=2, output=4, scores={"right": 0})
    spanloop.flush()
    assert spanloop.stats().refused == before + 1
    assert len(rows(shared_collector, project, "id")) == 1
    with pytest.raises(ApiError, match="experiment 'done' was finished at"):
        init_experiment(project, "done", update=True)
    assert init_experiment(project, "done").name == "done-2"


def test_experiments_are_logged_by_hand(shared_collector: CollectorProcess, project: str) -> None:
    experiment = init_experiment(project, "by hand", metadata={"who": "me"})
    assert experiment is spanloop.current_experiment()
    id = experiment.log(input="q", output="a", expected="a", scores={"right": 1}, metadata={"k": [1]}, tags=["x"])

    with experiment.start_span("case", input="q2") as span:
        with spanloop.start_span("step"):
            pass
        with pytest.raises(MixedLoggingError, match="beside 1 open span of experiment 'by hand'"):
            experiment.log(input="q3")
        experiment.log(input="q3", output="b", scores={"right": 0}, allow_concurrent_with_spans=True)
        span.log(output="a2", scores={"right": 0.5})

    @experiment.traced
    def case(question: str) -> str:
        return question.upper()

    assert case("q4") == "Q4"
    experiment.log_feedback(id, scores={"liked": 1}, comment="good")
    summary = experiment.summarize()
    assert summary.scores["right"].score == 0.5
    assert summary.scores["liked"].score == 1.0
    experiment.close()

    stored = {row["input"]: row for row in rows(shared_collector, project, "input, output, name, tags, metadata")}
    assert stored['"q"']["tags"] == ["x"]
    assert stored['"q2"'] | {"metadata": None} == {
        "input": '"q2"', "output": '"a2"', "name": "case", "tags": [], "metadata": None,
    }  # fmt: skip
    assert stored['{"question":"q4"}']["output"] == '"Q4"'
    assert len(rows(shared_collector, project, "id", "name = 'step' AND NOT is_root")) == 1

    readonly = init_experiment(project, "by hand", open=True)
    as_dataset = {json.dumps(row["input"]): row for row in readonly.as_dataset()}
    assert as_dataset['"q"']["expected"] == "a"
    assert as_dataset['"q"']["metadata"] == {"k": [1]}
    assert as_dataset['"q2"']["expected"] == "a2"
    assert as_dataset['"q"']["origin"] == {"object_type": "experiment", "object_id": experiment.id, "id": id}


def test_hill_climbing_starts_from_the_last_experiment(shared_collector: CollectorProcess, project: str) -> None:
    with pytest.raises(RuntimeError, match="has no earlier experiment to start from"):
        Eval(project, BaseExperiment(), double, [right], experiment_name="nothing")
    count = 1_100  # more than a page
    Eval(project, [{"input": n} for n in range(count)], double, [], experiment_name="start")
    Eval(project, [{"input": "other"}], double, [], experiment_name="between")
    climbed = Eval(project, BaseExperiment("start"), lambda input: input * 2 if input else 1, [right])
    assert climbed.summary.comparison_experiment_name == "start"
    assert sorted((each.input, each.expected, each.scores["right"]) for each in climbed.results) == [
        (n, n * 2, float(n > 0)) for n in range(count)
    ]


def test_hill_climbing_takes_what_reviewers_said_even_null(shared_collector: CollectorProcess, project: str) -> None:
    Eval(project, [{"input": n, "expected": n} for n in range(3)], double, [], experiment_name="start")

    def review(*arguments: str) -> str:
        done = ask_here(shared_collector, "review", *arguments, SPANLOOP_PROJECT=project, SPANLOOP_REVIEWER="anna")
        assert not done.error, done
        return done.stdout

    for input, correction in (("1", "null"), ("2", "22")):
        review("add", "--source", "eval_rows", "--where", f"is_root AND input = '{input}'")
        item = json.loads(review("next").partition("\nYours until")[0])
        review("done", item["id"], "--expected", correction)
    climbed = Eval(project, BaseExperiment(), double, [])
    assert sorted((each.input, each.expected) for each in climbed.results) == [(0, 0), (1, None), (2, 22)]


def test_rows_lead_back_to_the_dataset(shared_collector: CollectorProcess, project: str) -> None:
    dataset = spanloop.init_dataset(project, "golden")
    for case in CASES:
        dataset.insert(input=case["input"], expected=case["expected"], tags=["t"])
    result = Eval(project, dataset, double, [right])
    assert result.summary.scores["right"].score == 1.0
    (origin,) = {
        (found["object_type"], found["object_id"])
        for row in rows(shared_collector, project, "origin")
        for found in [json.loads(row["origin"])]
    }
    assert origin == ("dataset", dataset.id)
    (experiment,) = shared_collector.sql(
        f"SELECT dataset_id, dataset_version FROM experiments WHERE project = '{project}'"
    )
    assert experiment == {"dataset_id": dataset.id, "dataset_version": dataset.version}
    dataset.close()


def test_eval_without_a_collector_warns_once_and_runs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SPANLOOP_API_URL", f"http://127.0.0.1:{free_port()}")
    with caplog.at_level(logging.WARNING, "spanloop"):
        result = Eval("local", CASES, double, [right])
    assert result.summary.scores["right"].score == 1.0
    assert result.summary.experiment_id is None
    (record,) = caplog.records
    assert "no collector answers" in record.message
    assert record.message.endswith("The eval runs without being recorded")


# The command.

SLOW_FILE = """
import time
from spanloop import Eval

def task(input):
    open({log!r}, "a").write(f"{{input}}\\n")
    if input == 5 and not {is_resumed}:
        time.sleep(60)
    return input

Eval({project!r}, [{{"input": n}} for n in range(10)], task, [lambda output: 1], max_concurrency=1)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_ended_eval_goes_on_where_it_was(
    shared_collector: CollectorProcess, project: str, tmp_path: Path, end: signal.Signals
) -> None:
    log, file = tmp_path / "log", tmp_path / "eval_slow.py"
    file.write_text(SLOW_FILE.format(log=str(log), project=project, is_resumed=False))
    process = subprocess.Popen([sys.executable, "-m", "spanloop_collector", "eval", str(file)], env={**os.environ})
    recorded = f"SELECT count() AS n FROM eval_rows WHERE project = '{project}' AND is_root"
    wait_until(lambda: shared_collector.sql(recorded)[0]["n"] == 5, what="five rows of the eval", timeout=60)
    process.send_signal(end)
    process.wait()
    file.write_text(SLOW_FILE.format(log=str(log), project=project, is_resumed=True))
    done = command("eval", "--resume", "--no-progress", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert log.read_text().split() == ["0", "1", "2", "3", "4", "5", "5", "6", "7", "8", "9"]
    assert sorted(int(row["input"]) for row in rows(shared_collector, project, "input")) == list(range(10))
    assert len(shared_collector.sql(f"SELECT name FROM experiments WHERE project = '{project}'")) == 1


EVALS = """
from spanloop import Eval, Reporter

cases = [{{"input": n, "expected": n, "metadata": {{"area": "odd" if n % 2 else "even"}}}} for n in range(6)]

class Stream:
    def __iter__(self):
        return iter(cases)

def task(input):
    if input == 3:
        raise KeyError("three")
    return input if input < 4 else 0

def right(output, expected):
    return output == expected

Eval({project!r}, cases, task, [right], experiment_name="one")
Eval({project!r}, Stream(), lambda input: input, [right], experiment_name="two", base_experiment_name=None)
Eval({project!r}, lambda: 1 / 0, task, [right], experiment_name="broken")
"""


def test_command_runs_files_and_experiments_are_at_hand(
    shared_collector: CollectorProcess, project: str, tmp_path: Path
) -> None:
    (tmp_path / "eval_all.py").write_text(EVALS.format(project=project))
    ran = command("eval", str(tmp_path), "--filter", "metadata.area=odd")
    assert ran.returncode == 1
    assert "one: 3 cases, 1 failed" in ran.stdout
    assert "two: 3 cases" in ran.stdout
    assert 'raise KeyError("three")' in ran.stderr
    assert "[broken] could not run:" in ran.stderr
    assert "ZeroDivisionError" in ran.stderr
    # A filter that leaves nothing of an eval leaves no empty experiment behind, to be compared with the next time.
    assert "two: 0 cases" in command("eval", str(tmp_path), "--filter", "metadata.area=nowhere").stdout
    names = shared_collector.sql(f"SELECT name FROM experiments WHERE project = '{project}' ORDER BY name")
    assert names == [{"name": "one"}, {"name": "two"}]
    table = ran.stdout.splitlines()[-4:]
    assert table[0].split() == ["eval", "experiment", "cases", "failed", "scores"]
    assert [line.split()[2:5] for line in table[1:3]] == [["one", "3", "1"], ["two", "3", "0"]]

    listed = command("experiments", "list", "--project", project)
    assert "one" in listed.stdout
    assert "finished" in listed.stdout
    compared = command("experiments", "compare", "one", "two", "--project", project, "--group-by", "area",
                       "--aggregate", "both=2 * right", "--column", "n=toInt32(input)")  # fmt: skip
    assert compared.returncode == 0, compared.stderr
    assert "compared with two (last named)" in compared.stdout
    assert "area = odd: 3 cases" in compared.stdout
    assert "both" in compared.stdout
    assert "n=5" in compared.stdout

    (tmp_path / "my_scorers.py").write_text(
        "def tiny(output, trace):\n"
        "    assert [span['name'] for span in trace.spans] == ['eval', 'task'], trace.spans\n"
        "    return output < 2\n"
    )
    scored = subprocess.run(
        [sys.executable, "-m", "spanloop_collector", "experiments", "score", "two", "--project", project,
         "--scorer", "my_scorers:tiny", "--scorer", "exact_match"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert scored.stdout == "6 scores for 3 rows of two\n", scored.stderr
    shown = command("experiments", "show", "two", "--project", project)
    assert "tiny" in shown.stdout
    exported = command("experiments", "export", "two", "--project", project)
    lines = [json.loads(line) for line in exported.stdout.splitlines()]
    assert sorted((line["input"], line["later_scores"]["tiny"]) for line in lines) == [(1, 1), (3, 0), (5, 0)]
    (tmp_path / "two.jsonl").write_text(exported.stdout)
    back = ask_here(shared_collector, "datasets", "import", "back", str(tmp_path / "two.jsonl"), "--project", project)
    assert back.stdout == "back: 3 inserted, 0 updated, 0 unchanged, 0 refused\n", back
    for said, *arguments in (
        ("there is no experiment 'nope'", "nope", "--scorer", "exact_match"),
        ("--scorer: there is no scorer 'nope'", "two", "--scorer", "nope"),
        ("--scorer: No module named 'nope'", "two", "--scorer", "nope:thing"),
    ):
        assert said in ask_here(shared_collector, "experiments", "score", *arguments, "--project", project).error


def test_processes_share_an_eval(shared_collector: CollectorProcess, project: str, tmp_path: Path) -> None:
    file = tmp_path / "eval_many.py"
    file.write_text(
        "import os\nfrom spanloop import Eval\n"
        f"Eval({project!r}, [{{'input': n}} for n in range(20)], lambda input: os.getpid(), [lambda output: 1])\n"
        f"Eval('{project}-broken', [{{'input': 0}}], lambda input: 1 // input, no_send_logs=True)\n"
    )
    done = command("eval", "--workers", "2", "--verbose", str(file))
    assert (done.returncode, "ZeroDivisionError" in done.stderr) == (1, True)
    assert "20     0" in done.stdout
    file.write_text("\n".join(file.read_text().splitlines()[:-1]).replace(project, f"{project}-again"))
    done = command("eval", "--workers", "2", "--jsonl", str(file))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["cases"], told["passed"], told["scores"]["scorer_0"]["score"]) == (20, True, 1.0)
    stored = rows(shared_collector, f"{project}-again", "input, output")
    assert sorted(int(row["input"]) for row in stored) == list(range(20))
    assert len({row["output"] for row in stored}) == 2


def test_ray_shares_an_eval_of_the_same_file(shared_collector: CollectorProcess, project: str, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason=INSTALL_LINE)
    (tmp_path / "beside.py").write_text("def double(n): return n * 2\n")
    (tmp_path / "eval_many.py").write_text(
        "import os\nimport beside\nfrom spanloop import Eval\n"
        "def task(input, hooks):\n    hooks.metadata['process'] = str(os.getpid())\n    return beside.double(input)\n"
        f"Eval({project!r}, [{{'input': n, 'expected': 2 * n}} for n in range(20)], task,\n"
        "     [lambda output, expected: output == expected])\n"
    )
    done = command("eval", "--ray", "--workers", "2", "--jsonl", "eval_many.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["cases"], told["passed"], told["not_recorded"], told["scores"]["scorer_0"]["score"]) == (
        20,
        True,
        0,
        1,
    )
    stored = rows(shared_collector, project, "input, metadata['process'] AS process")
    assert sorted(int(row["input"]) for row in stored) == list(range(20))
    assert len({row["process"] for row in stored}) == 2


def test_readme_example(shared_collector: CollectorProcess, project: str, tmp_path: Path) -> None:
    section = README.split("## Try a change before users do")[1]
    code = section.split("```python\n")[1].split("```")[0].replace('Eval("greetings"', f"Eval({project!r}")
    file = tmp_path / "eval_greeting.py"
    file.write_text(code)
    assert command("eval", str(file)).returncode == 0
    file.write_text(code.replace('f"Hi {name}"', 'f"Hello {name}"'))
    again = command("eval", str(file))
    assert again.returncode == 0, again.stderr
    shown = section.split("```console\n")[1].split("```")[0].splitlines()[1:]
    for line in shown:
        beginning = " ".join(line.split("could be chance")[0].split())
        # Where this runs in a clone, the base is found by git.
        told = [" ".join(each.split()).replace("git ancestor", "most recent") for each in again.stdout.splitlines()]
        assert any(each.startswith(beginning) for each in told), (line, again.stdout)


def test_watch_runs_again_when_a_file_changes(tmp_path: Path) -> None:
    file, log = tmp_path / "eval_one.py", tmp_path / "log.txt"
    file.write_text("from spanloop import Eval\nEval('p', [{'input': 1}], lambda input: 1, experiment_name='first')\n")
    options = ["--watch", "--no-send-logs", "--api-url", "http://127.0.0.1:1", str(file)]
    with log.open("wb") as out:
        watching = subprocess.Popen(
            [sys.executable, "-m", "spanloop_collector", "eval", *options], stdout=out, stderr=out
        )
    try:
        wait_until(lambda: log.read_text().count("waiting for changes") == 1, what="the first run", timeout=60)
        file.write_text(file.read_text().replace("first", "second"))
        wait_until(lambda: log.read_text().count("waiting for changes") == 2, what="the second run", timeout=60)
        assert [text for text in ("first: 1 case", "second: 1 case") if text not in log.read_text()] == []
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 130
        assert "--resume" not in log.read_text()
    finally:
        watching.kill()
        watching.wait()


def test_wrong_use_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def said(*arguments: str) -> tuple[int, str]:
        return main(arguments), capsys.readouterr().err

    assert said(str(tmp_path / "nope.py")) == (
        2,
        f"spanloop eval: {tmp_path}/nope.py: there is no such file or folder\n",
    )
    (tmp_path / "eval_empty.py").write_text("")
    code, text = said(str(tmp_path))
    assert (code, "no call of Eval(...) at the top level" in text) == (2, True)
    assert "expected path=pattern" in said(str(tmp_path), "--filter", "area")[1]
    for wrong, error in (("import nothing_such", "ModuleNotFoundError: No module"), ("1 +", "SyntaxError: ")):
        (tmp_path / "eval_wrong.py").write_text(f"{wrong}\n")
        code, text = said(str(tmp_path / "eval_wrong.py"))
        first, *frames = text.splitlines()
        assert (code, first) == (2, f"spanloop eval: {tmp_path}/eval_wrong.py could not be loaded:")
        assert [line for line in frames if "File" in line] == [
            line for line in frames if f'File "{tmp_path}/eval_wrong.py", line 1' in line
        ]
        assert frames[-1].startswith(error)
    (tmp_path / "eval_wrong.py").unlink()
    (tmp_path / "eval_one.py").write_text("from spanloop import Eval\nEval('p', [{'input': 1}], lambda input: input)\n")
    code, text = said(str(tmp_path), "--filter", "metadata.area=odd", "--no-send-logs")
    assert (code, "no case was tried that matches --filter" in text) == (1, True)
    monkeypatch.setenv("SPANLOOP_API_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("spanloop._api.FIRST_CONTACT_SECONDS", 0.2)
    code, text = said(str(tmp_path), "--resume")
    assert (code, "no collector answers at http://127.0.0.1:1" in text) == (1, True)
    (tmp_path / "eval_two.py").write_text((tmp_path / "eval_one.py").read_text())
    code, text = said(str(tmp_path), "--resume")
    assert (code, "--resume: several evals are called 'p'" in text) == (2, True)
