"""Work in threads belongs to the span that handed it over."""

from __future__ import annotations

import asyncio
import threading

import spanloop
from spanloop import TracedThreadPoolExecutor, traced
from spanloop.testing import Capture


@traced
def work(n: int) -> int:
    return n


def test_pool_work_belongs_to_the_submitter(captured_spans: Capture) -> None:
    with TracedThreadPoolExecutor(2) as pool, spanloop.context(user_id="u"):
        with spanloop.start_span("first"):
            assert pool.submit(work, 1).result() == 1
        with spanloop.start_span("second"):
            assert list(pool.map(work, [2, 3])) == [2, 3]
    first, second = captured_spans.tree()
    assert [child["input"] for child in first["children"]] == [{"n": 1}]
    assert sorted(child["input"]["n"] for child in second["children"]) == [2, 3]
    assert all(child["metadata"] == {"user_id": "u"} for child in second["children"])


async def test_asyncios_own_threads_belong_to_the_task(captured_spans: Capture) -> None:
    loop = asyncio.get_running_loop()
    with TracedThreadPoolExecutor(1) as pool, spanloop.start_span("request"):
        assert await asyncio.to_thread(work, 1) == 1
        assert await loop.run_in_executor(pool, work, 2) == 2
    [request] = captured_spans.tree()
    assert [child["input"] for child in request["children"]] == [{"n": 1}, {"n": 2}]


def test_a_plain_thread_is_given_its_parent(captured_spans: Capture) -> None:
    """A thread starts with nothing current; what it does is never lost, and joined by `parent=`."""

    def run_below(parent: str) -> None:
        work(0)
        with spanloop.context(parent=parent):
            work(1)

    with spanloop.start_span("request") as request:
        threads = [threading.Thread(target=run_below, args=(request.export(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(row["name"] for row in captured_spans.tree()) == ["request", "work", "work"]
    [tree] = [row for row in captured_spans.tree() if row["name"] == "request"]
    assert [child["input"] for child in tree["children"]] == [{"n": 1}, {"n": 1}]


def test_threads_that_trace_at_once_keep_apart(captured_spans: Capture) -> None:
    """A span of one thread never becomes the parent of another's."""
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        barrier.wait(20)
        for _ in range(50):
            with spanloop.start_span(f"outer {number}"):
                work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tree = captured_spans.tree()
    assert len(tree) == 400
    assert all(f"outer {row['children'][0]['input']['n']}" == row["name"] for row in tree)
