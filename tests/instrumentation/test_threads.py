"""Work in threads belongs to the span that handed it over."""

from __future__ import annotations

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
