"""Fork, exit, signals: what is traced arrives, and nothing hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.instrumentation.otlp_collector import Collector, grpc_collector, http_collector
from tests.support.ports import free_port

PRELUDE = """
import os, sys, time, threading, multiprocessing, signal
import spanloop

def spans(*names):
    for name in names:
        with spanloop.start_span(name):
            pass
    os.write(1, b'%f\\n' % time.monotonic())  # whole, whichever threads write beside it
"""


def run(code: str, collector: Collector | None = None, timeout: float = 60) -> tuple[int, str, float]:
    """Exit code, standard error and seconds after its last span of a program that traces to `collector`."""
    endpoint = collector.endpoint if collector else f"http://127.0.0.1:{free_port()}"
    protocol = collector.protocol if collector else "grpc"
    environment = {**os.environ, "SPANLOOP_ENDPOINT": endpoint, "SPANLOOP_PROTOCOL": protocol}
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    ended = time.monotonic()
    return done.returncode, done.stderr, ended - max(map(float, done.stdout.split()), default=ended)


def test_the_interpreters_exit_delivers(collector: Collector) -> None:
    assert run("spanloop.init('bot'); spans('a', 'b')", collector)[:2] == (0, "")
    assert collector.received.names == ["a", "b"]


def test_an_uncaught_exception_delivers(collector: Collector) -> None:
    code, error, _ = run("spanloop.init('bot'); spans('a'); raise SystemExit(3)", collector)
    assert (code, error) == (3, "")
    assert collector.received.names == ["a"]


def test_control_c_delivers(collector: Collector) -> None:
    code, error, _ = run(
        "spanloop.init('bot'); spans('a'); os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", collector
    )
    assert code != 0
    assert "KeyboardInterrupt" in error
    assert collector.received.names == ["a"]


def test_sigterm_delivers_and_still_ends_the_process(collector: Collector) -> None:
    code, error, _ = run(
        """
        spanloop.init('bot', flush_interval_seconds=60); spans('a')
        os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)
        """,
        collector,
    )
    assert (code, error) == (-signal.SIGTERM, "")
    assert collector.received.names == ["a"]


def test_sigterm_without_a_collector_ends_the_process_soon() -> None:
    code, error, seconds = run("spanloop.init('bot'); spans('a'); os.kill(os.getpid(), signal.SIGTERM)")
    assert code == -signal.SIGTERM
    assert error.count("cannot deliver to the collector") == 1
    assert "Traceback" not in error
    assert seconds < 6


def test_an_applications_own_sigterm_handler_is_left_alone(collector: Collector) -> None:
    code, error, _ = run(
        """
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        spanloop.init('bot'); spans('a'); os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)
        """,
        collector,
    )
    assert (code, error) == (7, "")
    assert collector.received.names == ["a"]


def test_shutdown_gives_sigterm_back(collector: Collector) -> None:
    code, error, _ = run(
        """
        spanloop.init('bot'); assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        spanloop.shutdown(); assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        """,
        collector,
    )
    assert (code, error) == (0, "")


def test_exit_without_a_collector_is_short_and_says_one_thing() -> None:
    code, error, seconds = run("spanloop.init('bot'); spans('a')")
    assert code == 0
    assert error.count("cannot deliver to the collector") == 1
    assert error.count("1 traces were not delivered before the end") == 1
    assert "Traceback" not in error
    assert seconds < 5


def test_exit_with_a_stuck_collector_is_bounded(collector: Collector) -> None:
    collector.received.gate.clear()
    code, error, seconds = run("spanloop.init('bot', exit_flush_seconds=0.5); spans('a')", collector)
    collector.received.gate.set()
    assert code == 0
    assert "Traceback" not in error
    assert seconds < 5


def test_spans_ended_by_exit_handlers_arrive(collector: Collector) -> None:
    """Handlers registered after `init` run before ours."""
    code = "import atexit; spanloop.init('bot'); atexit.register(spans, 'late')"
    assert run(code, collector)[:2] == (0, "")
    assert collector.received.names == ["late"]


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_fork_delivers_each_side_once(protocol: str) -> None:
    with grpc_collector() if protocol == "grpc" else http_collector() as collector:
        code, error, _ = run(
            """
            spanloop.init('bot', flush_interval_seconds=0.01)
            spans('before'); spanloop.flush()
            spans('waiting')
            for n in range(5):
                pid = os.fork()
                if pid == 0:
                    spans(f'child {n}')
                    spanloop.flush()
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
            spans('after')
            """,
            collector,
        )
        assert (code, error) == (0, "")
        assert collector.received.names == [
            "after",
            "before",
            *(f"child {n}" for n in range(5)),
            "waiting",
        ]


def test_fork_while_threads_trace(collector: Collector) -> None:
    code, error, _ = run(
        """
        spanloop.init('bot', flush_interval_seconds=0.001)
        stop = False
        def work():
            while not stop:
                spans('busy')
                time.sleep(0.0005)  # or the queue runs over
        threads = [threading.Thread(target=work) for _ in range(2)]
        for t in threads: t.start()
        for n in range(10):
            time.sleep(0.02)
            pid = os.fork()
            if pid == 0:
                spans('child')
                os._exit(0 if spanloop.flush(timeout_seconds=10) else 1)
            assert os.waitpid(pid, 0)[1] == 0
        stop = True
        for t in threads: t.join()
        """,
        collector,
    )
    assert (code, error) == (0, "")
    assert collector.received.names.count("child") == 10


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_children_deliver_at_their_end(method: str, collector: Collector, tmp_path: object) -> None:
    program = textwrap.dedent(
        f"""
        {textwrap.indent(PRELUDE, "        ").strip()}
        spanloop.init('bot')
        def work(): spans('child')
        if __name__ == '__main__':
            spans('parent')
            process = multiprocessing.get_context({method!r}).Process(target=work)
            process.start(); process.join(); assert process.exitcode == 0
        """
    )
    path = f"{tmp_path}/program.py"
    with open(path, "w") as file:
        file.write(program)
    done = subprocess.run(
        [sys.executable, path],
        env={**os.environ, "SPANLOOP_ENDPOINT": collector.endpoint},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert collector.received.names == ["child", "parent"]


def test_ids_differ_between_forked_children(collector: Collector) -> None:
    run(
        """
        spanloop.init('bot')
        spans('warm up')
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                spans('child'); spanloop.flush(); os._exit(0)
            os.waitpid(pid, 0)
        """,
        collector,
    )
    assert len({span.trace_id for span in collector.received.spans}) == 5
