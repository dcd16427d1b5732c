"""Scores given to an experiment's rows after the run. Calls block: use them in a thread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.row_input import is_number
from spanloop_collector.errors import invalid
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.table import ExperimentDatabase

TABLE = "experiment_score_versions"
COLUMNS = ("project", "experiment_id", "id", "name", "score", "metadata", "source", "created", "version")
KNOWN_ROWS = """
SELECT DISTINCT id FROM {database:Identifier}.eval_rows
WHERE project = {project:String} AND experiment_id = {experiment:String} AND id IN {ids:Array(String)}
"""


class LaterScores:
    """The table of later scores."""

    def __init__(self, store: ExperimentDatabase) -> None:
        self._store = store

    def add(self, experiment: Experiment, scores: Sequence[pb.LaterScore]) -> int:
        """Stores the scores, each over an earlier one of the same row and name; says how many."""
        for number, score in enumerate(scores):
            _check(score, f"scores[{number}]")
        self._check_rows(experiment, scores)
        now = datetime.now(UTC)
        rows = [
            (
                experiment.project,
                experiment.id,
                score.id,
                score.name,
                score.score if score.HasField("score") else None,
                score.metadata or "{}",
                score.source,
                now,
                time.time_ns(),
            )
            for score in scores
        ]
        if rows:
            with self._store.client() as client:
                client.insert(TABLE, rows, column_names=COLUMNS, database=self._store.database)
        return len(rows)

    def _check_rows(self, experiment: Experiment, scores: Sequence[pb.LaterScore]) -> None:
        ids = {score.id for score in scores}
        result = self._store.query(
            KNOWN_ROWS,
            {
                "database": self._store.database,
                "project": experiment.project,
                "experiment": experiment.id,
                "ids": sorted(ids),
            },
        )
        missing = ids - {str(row[0]) for row in result.result_rows}
        for number, score in enumerate(scores):
            if score.id in missing:
                raise invalid(f"scores[{number}].id", f"experiment {experiment.name!r} has no row {score.id!r}")


def _check(score: pb.LaterScore, path: str) -> None:
    if not score.name:
        raise invalid(f"{path}.name", "is empty; a score needs a name")
    if score.HasField("score") and not (is_number(score.score) and 0 <= score.score <= 1):
        raise invalid(f"{path}.score", f"expected a number from 0 to 1 or null, got {score.score!r}")
    if score.HasField("metadata"):
        try:
            parse_json(score.metadata)
        except ValueError as error:
            raise invalid(f"{path}.metadata", f"is not JSON: {error}") from None
