"""Sends plain OTLP spans to a collector, and asks it with the command line."""

from __future__ import annotations

import json
import subprocess
import urllib.request

from tests.support.collector_process import CollectorProcess
from tests.support.command import spanloop
from tests.support.waiting import wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"


def send_span(collector: CollectorProcess, name: str, *, project: str = "", key: str = "", **attributes: str) -> None:
    """One finished span of 1.5 seconds over OTLP/HTTP as JSON; its id is made of its name."""
    span = {
        "traceId": TRACE,
        "spanId": name.encode().hex()[:16].ljust(16, "0"),
        "name": name,
        "startTimeUnixNano": "1767225600000000000",
        "endTimeUnixNano": "1767225601500000000",
        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()],
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    headers = {"content-type": "application/json"}
    headers |= {"authorization": f"Bearer {key}"} if key else {}
    headers |= {"x-spanloop-project": project} if project else {}
    request = urllib.request.Request(f"{collector.http_url}/v1/traces", body.encode(), headers)
    urllib.request.urlopen(request, timeout=30).close()


def ask(collector: CollectorProcess, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The finished `spanloop` command, pointed at this collector."""
    return spanloop(*arguments, environment={"SPANLOOP_API_URL": collector.api_url, **environment})


def wait_for_rows(collector: CollectorProcess, count: int, *, project: str = "default") -> None:
    """Returns when a project has at least so many rows in `logs`."""
    question = f"SELECT count() AS n FROM logs WHERE project = '{project}'"
    wait_until(lambda: collector.sql(question)[0]["n"] >= count, what=f"{count} rows of project {project}")
