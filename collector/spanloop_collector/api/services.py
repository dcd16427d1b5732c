"""The contract's services, each given what it works with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from spanloop_collector.alerts import alert_operations
from spanloop_collector.api.attachments import AttachmentOperations
from spanloop_collector.api.dead_letters import DeadLetterOperations
from spanloop_collector.api.keys import KeyOperations
from spanloop_collector.api.operations import Operation, list_operations
from spanloop_collector.api.queries import QueryOperations
from spanloop_collector.api.row_lookup import RowLookup
from spanloop_collector.api.rows import Rows
from spanloop_collector.api.status import StatusOperations
from spanloop_collector.attachments import Attachments
from spanloop_collector.experiments.operations import experiment_operations
from spanloop_collector.intake import Intake
from spanloop_collector.keys.keyring import KeyRing
from spanloop_collector.playground.operations import PlaygroundOperations
from spanloop_collector.promote.services import dataset_services
from spanloop_collector.query.queries import Queries
from spanloop_collector.review import review_operations
from spanloop_collector.score.own_workers import modules_of
from spanloop_collector.score.scoring import Scoring
from spanloop_collector.settings import Settings
from spanloop_collector.spool import Spool
from spanloop_collector.store import Store
from spanloop_collector.variants import variant_operations
from spanloop_collector.views import view_operations
from spanloop_collector.write.dead_letter import DeadLetter, DeadLetters


def build_operations(
    settings: Settings,
    *,
    intake: Intake,
    store: Store,
    spools: Mapping[str, Spool],
    queries: Queries,
    keys: KeyRing,
    attachments: Attachments,
    dead_letters: DeadLetters,
    replay: Callable[[DeadLetter], Awaitable[None]],
    barrier: Callable[[], Awaitable[None]],
    playground: PlaygroundOperations,
    scoring: Scoring | None = None,
) -> list[Operation]:
    """Every operation of the contract, ready to be served."""
    rows = Rows(
        intake=intake,
        reader=RowLookup(store),
        barrier=barrier,
        default_project=settings.receive.default_project,
    )
    experiments = experiment_operations(
        store,
        queries,
        intake.experiments,
        barrier=barrier,
        default_project=settings.receive.default_project,
    )
    datasets = dataset_services(store, queries, default_project=settings.receive.default_project)
    return list_operations(
        {
            "RowService": rows,
            "QueryService": QueryOperations(queries),
            "KeyService": KeyOperations(keys),
            "StatusService": StatusOperations(
                settings,
                store=store,
                spools=spools,
                dead_letters=lambda: Counter(letter.signal for letter in dead_letters.waiting()),
                reader_isolation=queries.isolation,
            ),
            "DeadLetterService": DeadLetterOperations(dead_letters, replay=replay),
            "ExperimentService": experiments,
            **datasets,
            "AttachmentService": AttachmentOperations(attachments, store),
            "VariantService": variant_operations(store, queries, default_project=settings.receive.default_project),
            "AlertService": alert_operations(store, queries, settings.webhooks),
            "ReviewService": review_operations(
                store,
                queries,
                feedback=rows.feedback,
                write_dataset_rows=datasets["DatasetService"].write_dataset_rows,
                add_scores=experiments.add_scores,
                default_project=settings.receive.default_project,
            ),
            "ViewService": view_operations(store, default_project=settings.receive.default_project),
            "PlaygroundService": playground,
            **(scoring or Scoring(store)).operations(queries, modules=modules_of(settings), barrier=barrier),
        }
    )
