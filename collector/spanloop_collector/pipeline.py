"""The collector as a whole: its stages, started from the last to the first and stopped the other way round.

receive ─▶ intake ─▶ spool ─▶ write ─▶ ClickHouse ◀─ query
                                            ▲
                                      api, keys, prices
"""

from __future__ import annotations

import asyncio
import errno
import math
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from spanloop_collector.alerts import watch_alerts
from spanloop_collector.api.grpc_transport import add_operations
from spanloop_collector.api.http_app import build_app
from spanloop_collector.api.http_transport import error_response
from spanloop_collector.api.operations import Operation
from spanloop_collector.api.services import build_operations
from spanloop_collector.attachments import Attachments, open_attachments
from spanloop_collector.attachments.http import attachment_routes
from spanloop_collector.errors import ConfigError
from spanloop_collector.experiments.door import ExperimentDoor
from spanloop_collector.experiments.table import ExperimentTable
from spanloop_collector.intake import Intake
from spanloop_collector.keys.admin import ensure_admin_key
from spanloop_collector.keys.authenticator import Authenticator
from spanloop_collector.keys.cache import KeyCache
from spanloop_collector.keys.keyring import KeyRing
from spanloop_collector.keys.table import KeyTable
from spanloop_collector.listening import Listening
from spanloop_collector.playground.operations import PlaygroundOperations
from spanloop_collector.query.endpoint import SqlEndpoint
from spanloop_collector.query.queries import Queries
from spanloop_collector.receive.grpc_server import GrpcServer
from spanloop_collector.receive.http_listener import HttpListener
from spanloop_collector.receive.http_server import otlp_app
from spanloop_collector.score.own_workers import keep_workers, local_url
from spanloop_collector.score.scoring import Scoring
from spanloop_collector.settings import Settings
from spanloop_collector.spool import Spool
from spanloop_collector.spool.record import RecordFlags
from spanloop_collector.store import Store
from spanloop_collector.store.bells import hear_others
from spanloop_collector.store.readiness import describe, keep_trying_to_migrate
from spanloop_collector.store.unused_code import leave_unused_code
from spanloop_collector.variants import run_variants
from spanloop_collector.webhooks.outbox import ALERT, VARIANT, Outbox
from spanloop_collector.webhooks.sender import sender_of
from spanloop_collector.write import Writer
from spanloop_collector.write.dead_letter import DeadLetter, DeadLetters
from spanloop_collector.write.freed_memory import return_freed_memory
from spanloop_collector.write.merges import MergePacer
from spanloop_collector.write.pricing import Pricing

SIGNALS = ("traces", "logs")
STOP_RECEIVING_SECONDS = 5.0
DRAIN_SECONDS = 20.0


async def run(settings: Settings, *, stop: asyncio.Event, on_ready: Callable[[Listening], None]) -> None:
    """Runs the collector until `stop` is set; `on_ready` hears where it listens.

    Raises ConfigError for settings that cannot work on this machine.
    """
    async with _Stages() as stages:
        listening = await _start(settings, stages)
        on_ready(listening)
        await stop.wait()


async def _start(settings: Settings, stages: _Stages) -> Listening:
    _make_data_dir(settings.data_dir)
    spools = {signal: await stages.enter_async_context(_spool(settings, signal)) for signal in SIGNALS}
    store = Store(settings.store, settings.data_dir)
    stages.callback(store.close)
    await stages.enter_async_context(keep_trying_to_migrate(store))
    await stages.keep(hear_others(store))

    dead_letters = DeadLetters(settings.data_dir / "dead", store)
    scoring, writers = await _start_writing(settings, stages, spools, store, dead_letters)
    keys = await _start_keys(settings, stages, store)
    queries = Queries(store, settings.query)
    stages.push_async_callback(queries.close)
    await _start_webhooks(settings, stages, store, queries)

    authenticator = Authenticator(keys, required=settings.auth.require_keys)
    intake = Intake(
        traces=spools["traces"],
        logs=spools["logs"],
        default_project=settings.receive.default_project,
        experiments=ExperimentDoor(ExperimentTable(store).finished_among),
    )
    attachments = open_attachments(settings.attachments, settings.data_dir)
    playground = PlaygroundOperations(settings)
    stages.push_async_callback(playground.close)
    operations = build_operations(
        settings,
        intake=intake,
        store=store,
        spools=spools,
        queries=queries,
        keys=keys,
        attachments=attachments,
        dead_letters=dead_letters,
        replay=partial(_replay, spools, dead_letters),
        barrier=writers["traces"].barrier,
        playground=playground,
        scoring=scoring,
    )

    sql = SqlEndpoint(queries, authenticator, database=store.database)
    api = _api_listener(settings, sql, operations, authenticator, attachments)
    http = HttpListener(
        otlp_app(intake, receive=settings.receive, authenticate=authenticator.authenticate),
        address=settings.receive.http_address,
        setting="receive.http_address",
        auth=settings.auth,
    )
    grpc = GrpcServer(
        intake,
        receive=settings.receive,
        auth=settings.auth,
        authenticate=authenticator.authenticate,
        add_services=[lambda server: add_operations(server, operations, authenticator)],
    )
    for listener in (api, http, grpc):
        await listener.start()
        stages.push_async_callback(partial(listener.stop, grace_seconds=STOP_RECEIVING_SECONDS))
    workers = keep_workers(
        settings,
        api_url=local_url(settings, api.port),
        is_needed=lambda: scoring.is_needed,
        on_end=scoring.dispatcher.worker_ended,
    )
    await stages.keep(workers)
    return Listening(
        grpc_address=_with_port(settings.receive.grpc_address, grpc.port),
        http_address=_with_port(settings.receive.http_address, http.port),
        api_address=_with_port(settings.receive.api_address, api.port),
        is_tls=settings.auth.tls_certificate is not None,
        store=await asyncio.to_thread(describe, store),
    )


async def _start_writing(
    settings: Settings, stages: _Stages, spools: Mapping[str, Spool], store: Store, dead_letters: DeadLetters
) -> tuple[Scoring, Mapping[str, Writer]]:
    """Scoring, which looks at each segment once it is stored, and the writers, by signal."""
    writers: dict[str, Writer] = {}
    calm_seconds = partial(_calm_seconds, writers.values())
    scoring = Scoring(store, calm_seconds=calm_seconds)
    await stages.enter_async_context(scoring.running())
    look_at = {"traces": scoring.trigger.look_at}
    for signal, spool in spools.items():
        writers[signal] = Writer(signal, spool, store, dead_letters, settings.write, look_at=look_at.get(signal))
        writers[signal].start()
        stages.push_async_callback(writers[signal].stop, DRAIN_SECONDS)
    await stages.keep(Pricing(store, lambda: spools["traces"].backlog().oldest_age_seconds).run())
    await stages.keep(MergePacer(store, calm_seconds).run())
    if store.is_embedded:
        await stages.keep(return_freed_memory(store, calm_seconds))
        await stages.keep(leave_unused_code())
    return scoring, writers


async def _start_keys(settings: Settings, stages: _Stages, store: Store) -> KeyRing:
    keys = KeyRing(KeyTable(store), KeyCache(settings.data_dir))
    if settings.auth.require_keys:
        ensure_admin_key(keys, settings.data_dir)
    await keys.start()
    await stages.keep(keys.watch())
    return keys


async def _start_webhooks(settings: Settings, stages: _Stages, store: Store, queries: Queries) -> None:
    """Alerts and variants: each asks ClickHouse, and posts what it finds."""
    outboxes = {topic: Outbox(store, sender_of(settings.webhooks), topic) for topic in (ALERT, VARIANT)}
    for outbox in outboxes.values():
        await stages.keep(outbox.run())
    await stages.keep(watch_alerts(store, queries, outboxes[ALERT]))
    await stages.keep(run_variants(store, queries, outboxes[VARIANT]))


def _api_listener(
    settings: Settings,
    sql: SqlEndpoint,
    operations: Sequence[Operation],
    authenticator: Authenticator,
    attachments: Attachments,
) -> HttpListener:
    app = build_app(
        sql=sql,
        operations=operations,
        authenticator=authenticator,
        max_body_bytes=settings.receive.max_message_bytes,
        more_routes=attachment_routes(
            attachments,
            authenticator,
            default_project=settings.receive.default_project,
            error_response=error_response,
        ),
    )
    return HttpListener(app, address=settings.receive.api_address, setting="receive.api_address", auth=settings.auth)


class _Stages(AsyncExitStack):
    """What has been started, to be stopped the other way round."""

    async def keep(self, work: Coroutine[None, None, None]) -> None:
        """Does the work in the background until then."""
        await self.enter_async_context(_background(work))


def _make_data_dir(data_dir: Path) -> None:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(data_dir, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ConfigError(
            f"data_dir={data_dir} cannot be written: {error.strerror}; choose another folder with --data-dir "
            "(SPANLOOP_DATA_DIR)"
        ) from error


@asynccontextmanager
async def _spool(settings: Settings, signal: str) -> AsyncIterator[Spool]:
    spool = Spool.open(
        settings.data_dir / "spool" / signal,
        settings.spool,
        signal=signal,
        flush_after_seconds=settings.write.flush_after_seconds,
    )
    try:
        yield spool
    finally:
        await spool.close()


@asynccontextmanager
async def _background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Work that runs as long as the collector and stops when told."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _replay(spools: Mapping[str, Spool], dead_letters: DeadLetters, letter: DeadLetter) -> None:
    """Puts a dead letter's request back into its spool."""
    payload = await asyncio.to_thread(dead_letters.payload, letter)
    flags = RecordFlags.HAS_NESTED if letter.has_nested else RecordFlags.NONE
    await spools[letter.signal].append(payload, item_count=letter.item_count, flags=flags)


def _calm_seconds(writers: Iterable[Writer]) -> float:
    return min((writer.calm_seconds for writer in writers), default=math.inf)


def _with_port(address: str, port: int) -> str:
    return f"{address.rpartition(':')[0]}:{port}"
