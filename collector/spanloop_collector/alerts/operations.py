"""AlertService: alerts saved, listed, tried out and deleted."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from spanloop.v1 import alerts_pb2

from spanloop_collector.alerts.ask import Group, ask
from spanloop_collector.alerts.decide import Announcement, Seen
from spanloop_collector.alerts.message import TEST, body_of
from spanloop_collector.alerts.rule import AlertRule, check_rule
from spanloop_collector.alerts.rules import AlertRules, owner_of
from spanloop_collector.api.json_codec import write_json
from spanloop_collector.api.operations import Call
from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.query.queries import Queries
from spanloop_collector.store.changes import Actor
from spanloop_collector.webhooks.address import read_url
from spanloop_collector.webhooks.sender import Attempt, WebhookSender
from spanloop_collector.webhooks.signature import make_secret, read_secret
from spanloop_collector.webhooks.targets import Target, Targets

READ_STATUS = """
SELECT project, name, status, firing, error, if(toUnixTimestamp(evaluated) = 0, '', formatDateTime(
    evaluated, '%Y-%m-%dT%H:%i:%S+00:00', 'UTC')) AS evaluated
FROM {database:Identifier}.alerts
WHERE {project:String} = '' OR project = {project:String}
"""


class AlertDatabase(Protocol):
    """The store, as far as the state of alerts needs it."""

    @property
    def database(self) -> str: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object: ...


class AlertOperations:
    """The operations of AlertService."""

    def __init__(
        self,
        store: AlertDatabase,
        rules: AlertRules,
        *,
        statements: Queries,
        sender: WebhookSender,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rules = rules
        self._statements = statements
        self._sender = sender
        self._targets = Targets(store)
        self._now = now

    async def save_alert(self, request: alerts_pb2.SaveAlertRequest, call: Call) -> alerts_pb2.SaveAlertResponse:
        """The alert, kept; a statement that does not run is refused."""
        rule = self._read(request.alert, call)
        if request.alert.url:
            read_url(request.alert.url, field="alert.url")
        if request.secret:
            read_secret(request.secret)
        await ask(self._statements, rule, now=self._now())
        saved = await asyncio.to_thread(
            self._rules.save,
            rule,
            url=request.alert.url,
            secret=request.secret,
            actor=_actor(request.actor, call),
        )
        return alerts_pb2.SaveAlertResponse(alert=_message(saved.rule), outcome=saved.outcome, secret=saved.new_secret)

    async def list_alerts(self, request: alerts_pb2.ListAlertsRequest, call: Call) -> alerts_pb2.ListAlertsResponse:
        """The alerts of a project, or all, each with what it saw last."""
        project = call.project(request.project)
        rules = await asyncio.to_thread(self._rules.all, project or "*")
        status = await asyncio.to_thread(self._status, project)
        return alerts_pb2.ListAlertsResponse(
            alerts=[_status(rule, status.get((rule.project, rule.name), {})) for rule in rules]
        )

    async def test_alert(self, request: alerts_pb2.TestAlertRequest, call: Call) -> alerts_pb2.TestAlertResponse:
        """What the alert would see now."""
        project = call.project(request.alert.project)
        if request.alert.sql:
            rule = self._read(request.alert, call)
        else:
            rule = await asyncio.to_thread(self._rules.find, project, request.alert.name)
        groups = await ask(self._statements, rule, now=self._now())
        answer = alerts_pb2.TestAlertResponse(groups=[_group(rule, group) for group in groups])
        if request.send:
            attempt = await asyncio.to_thread(self._send_test, rule, request.alert.url, groups)
            answer.error, answer.http_status = attempt.error, attempt.http_status
        return answer

    async def delete_alert(self, request: alerts_pb2.DeleteAlertRequest, call: Call) -> alerts_pb2.DeleteAlertResponse:
        """Nothing is left of the alert but its changes in the audit log."""
        project = call.project(request.project)
        await asyncio.to_thread(self._rules.delete, project, request.name, _actor(request.actor, call))
        return alerts_pb2.DeleteAlertResponse()

    def _read(self, alert: alerts_pb2.Alert, call: Call) -> AlertRule:
        return check_rule(alert, call.project(alert.project))

    def _status(self, project: str) -> dict[tuple[str, str], dict[str, Any]]:
        rows = self._store.query(READ_STATUS, {"database": self._store.database, "project": project}).named_results()
        return {(row["project"], row["name"]): row for row in rows}

    def _send_test(self, rule: AlertRule, url: str, groups: Sequence[Group]) -> Attempt:
        known = self._targets.find(owner_of(rule))
        if url:
            read_url(url, field="alert.url")
            target = Target(url, known.secret if known and known.url == url else make_secret())
        elif known:
            target = known
        else:
            raise InvalidRequestError("alert.url: say where to send the test", field="alert.url")
        first = groups[0] if groups else Group({}, None)
        now = self._now()
        announcement = Announcement(TEST, first.key, Seen(first.labels, first.value, is_firing=False, since=now))
        body = body_of(rule, announcement, now=now).encode()
        return self._sender.send(target.url, target.secret, message_id=f"msg_{secrets.token_hex(14)}", body=body)


def _actor(name: str, call: Call) -> Actor:
    return Actor(name[:200] or call.principal.key_id or "anonymous", call.principal.key_id)


def _message(rule: AlertRule) -> alerts_pb2.Alert:
    return alerts_pb2.Alert(
        name=rule.name,
        project=rule.project,
        description=rule.description,
        sql=rule.sql,
        comparison=rule.comparison,
        threshold=rule.threshold,
        every_seconds=rule.every_seconds,
        window_seconds=rule.window_seconds,
        hold_off_seconds=rule.hold_off_seconds,
        url=rule.target,
        format=rule.format,
        is_paused=rule.is_paused,
    )


def _status(rule: AlertRule, row: dict[str, Any]) -> alerts_pb2.AlertStatus:
    groups = [json.loads(group) for group in row.get("firing", [])]
    return alerts_pb2.AlertStatus(
        alert=_message(rule),
        status=row.get("status", "waiting"),
        firing=[write_json({name: group[name] for name in ("labels", "value", "since")}) for group in groups],
        error=row.get("error", ""),
        evaluated=row.get("evaluated", ""),
    )


def _group(rule: AlertRule, group: Group) -> alerts_pb2.AlertGroup:
    return alerts_pb2.AlertGroup(
        labels=write_json(group.labels), value=write_json(group.value), is_firing=rule.fires(group.value)
    )
