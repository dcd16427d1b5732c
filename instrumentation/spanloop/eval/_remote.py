"""Experiments as the collector keeps them: made, read, finished, compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote

from spanloop._api import ApiClient, ApiError
from spanloop.eval._result import ExperimentSummary, MetricSummary, ScoreSummary

PAGE_ROWS = 1000
COMPARE_SECONDS = 300.0

JSON_COLUMNS = ("input", "output", "expected")

Found = dict[str, Any]

CASES = """
SELECT id, input, output, expected, scores, metadata, metadata_json, tags, error,
    toString(toUnixTimestamp64Nano(created)) AS created_ns, trace_id, correction
FROM eval_rows
ANY LEFT JOIN (
    SELECT row_id, expected AS correction FROM corrections
    WHERE source = 'eval_rows' AND object_id = {experiment:String} AND project = {project:String}
) AS corrected ON row_id = id
WHERE experiment_id = {experiment:String} AND is_root AND project = {project:String}
    AND (toUnixTimestamp64Nano(created), id) > ({after:Int64}, {last:String})
ORDER BY toUnixTimestamp64Nano(created), id
LIMIT {limit:UInt64}
"""
TRACE = """
SELECT id, span_id, parent_id, name, type, input, output, expected, error, scores, metrics, metadata, metadata_json,
    tags
FROM eval_rows
WHERE experiment_id = {experiment:String} AND project = {project:String} AND trace_id = {trace:String}
    AND metadata['spanloop.purpose'] != 'scorer'
ORDER BY created, span_id
"""
INPUTS = """
SELECT input, count() AS trials FROM eval_rows
WHERE experiment_id = {experiment:String} AND is_root AND project = {project:String} GROUP BY input
"""


class Experiments:
    """The experiments of one collector. Connections are closed after each use: uses are minutes apart."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client

    def create(self, wanted: Mapping[str, Any]) -> Found:
        """A new experiment, or an open one to go on with."""
        with closing(self.client):
            answer = self.client.post("/v1/experiments", {name: value for name, value in wanted.items() if value})
        found: Found = answer["experiment"]
        return found

    def get(self, experiment: str, project: str, *, base: str = "") -> Found:
        """{experiment, base, base_reason} of the experiment with this id or name."""
        with closing(self.client):
            return self.client.get(_path(experiment), project=project, base=base)

    def newest(self, project: str, *, name: str) -> list[Found]:
        """The newest experiments whose name contains this."""
        with closing(self.client):
            found: list[Found] = self.client.get("/v1/experiments", project=project, name=name, limit="20")[
                "experiments"
            ]
        return found

    def finish(self, experiment: str, project: str) -> None:
        """Ends it for good."""
        with closing(self.client):
            self.client.post(f"{_path(experiment)}/finish", {"project": project}, is_idempotent=True)

    def add_scores(self, experiment: str, project: str, scores: list[Found]) -> None:
        """Scores for rows, beside those of the run."""
        with closing(self.client):
            body = {"project": project, "scores": scores}
            self.client.post(f"{_path(experiment)}/scores", body, is_idempotent=True)

    def compare(self, project: str, experiment: str, *, base: str = "") -> Found:
        """The comparison with its base."""
        body = {"project": project, "experiments": [experiment], "base": base}
        with closing(self.client):
            return self.client.post("/v1/experiments/compare", body, is_idempotent=True, timeout=COMPARE_SECONDS)

    def cases(self, experiment: str, project: str) -> Iterator[Found]:
        """Root rows of an experiment, in pages as they are asked for."""
        after, last = "-1", ""
        while True:
            with closing(self.client):
                page = self.client.rows(
                    CASES, experiment=experiment, project=project, after=after, last=last, limit=str(PAGE_ROWS)
                )
            for row in page:
                after, last = row.pop("created_ns"), row["id"]
                yield _case(row)
            if len(page) < PAGE_ROWS:
                return

    def trace(self, experiment: str, project: str, trace_id: str) -> list[Found]:
        """The spans of one case, those of its scorers left out, oldest first."""
        with closing(self.client):
            return [
                _case(row) for row in self.client.rows(TRACE, experiment=experiment, project=project, trace=trace_id)
            ]

    def recorded_inputs(self, experiment: str, project: str) -> dict[str, int]:
        """How many trials there are of each input, by its JSON text."""
        with closing(self.client):
            rows = self.client.rows(INPUTS, experiment=experiment, project=project)
        return {row["input"]: int(row["trials"]) for row in rows}


def _path(experiment: str) -> str:
    return f"/v1/experiments/{quote(experiment, safe='')}"


def is_away(error: ApiError) -> bool:
    """Whether no collector answered at all."""
    return error.status == 0


def _case(row: Found) -> Found:
    json_names = set(row.pop("metadata_json"))
    metadata = {name: _value(text) if name in json_names else text for name, text in row["metadata"].items()}
    correction = row.pop("correction", "")
    return {
        **row,
        "metadata": {name: value for name, value in metadata.items() if not name.startswith("spanloop.")},
        **{name: _value(row[name]) for name in JSON_COLUMNS},
        # Only where there is one: a person may have said that null is right.
        **({"correction": _value(correction)} if correction else {}),
    }


def _value(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def summary_of(answer: Found, project: str) -> ExperimentSummary:
    """The summary that a comparison of one experiment with its base gives."""
    side = answer["experiments"][0]
    experiment = side["experiment"]
    names = {each["experiment"]["id"]: each["experiment"]["name"] for each in answer["experiments"]}
    is_compared = len(names) > 1
    return ExperimentSummary(
        project_name=project,
        experiment_name=experiment["name"],
        experiment_id=experiment["id"],
        comparison_experiment_name=names.get(answer["base_id"]) if is_compared else None,
        # Some only the other experiment has.
        scores={each["name"]: _score(each) for each in answer["scores"] if each["sides"][0]["cases"]},
        metrics={each["name"]: _metric(each) for each in answer["metrics"] if each["sides"][0]["cases"]},
        cases=side["cases"],
        trials=side["trials"],
        errors=side["errors"],
        text=answer["text"],
    )


def _score(measure: Found) -> ScoreSummary:
    side, difference = measure["sides"][0], _difference(measure)
    return ScoreSummary(
        name=measure["name"],
        score=side.get("mean"),
        deviation=side.get("deviation"),
        diff=difference.get("difference"),
        improvements=difference.get("improvements", 0),
        regressions=difference.get("regressions", 0),
        p_value=difference.get("p_adjusted"),
        verdict=difference.get("verdict", ""),
        words=difference.get("words", ""),
    )


def _metric(measure: Found) -> MetricSummary:
    difference = _difference(measure)
    return MetricSummary(
        name=measure["name"],
        metric=measure["sides"][0].get("mean"),
        unit=measure["unit"],
        diff=difference.get("difference"),
        improvements=difference.get("improvements", 0),
        regressions=difference.get("regressions", 0),
        verdict=difference.get("verdict", ""),
    )


def _difference(measure: Found) -> Found:
    return measure["differences"][0] if measure["differences"] else {}
