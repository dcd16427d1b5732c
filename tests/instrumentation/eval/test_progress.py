"""What a terminal shows while evals run."""

from __future__ import annotations

import io

from spanloop.eval._progress import bars
from spanloop.eval._run import Run
from spanloop.eval._tally import Tally


def test_each_eval_has_a_line_that_ends_as_it_stood() -> None:
    out = io.StringIO()
    failed = Tally()
    failed.failed = 1
    with bars(out, is_shown=True) as show:
        known, stream = show("of known size"), show("a stream")
        assert known is not None
        assert stream is not None
        known(Run(total=5), 10)
        stream(Run(total=1200, tally=failed), None)
    *_, first, second, _ = out.getvalue().split("\n")
    assert "of known size  " + "━" * 15 + "·" * 15 + "  5/10" in first
    assert ("a stream      1,200 trials" in second, "1 failed" in second) == (True, True)


def test_nothing_is_shown_where_nobody_watches() -> None:
    out = io.StringIO()
    with bars(out) as show:
        assert show("unseen") is None
    assert out.getvalue() == ""
