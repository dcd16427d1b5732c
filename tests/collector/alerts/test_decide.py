"""What an alert says, evaluation after evaluation."""

from __future__ import annotations

from collections.abc import Mapping

from spanloop_collector.alerts.ask import Group
from spanloop_collector.alerts.decide import Seen, decide
from spanloop_collector.alerts.rule import AlertRule

RULE = AlertRule("shop", "errors", "SELECT 1", comparison=">", threshold=0.1, hold_off_seconds=100)


class Story:
    """Evaluations of one alert, one after the other."""

    def __init__(self, rule: AlertRule = RULE) -> None:
        self.rule = rule
        self.seen: Mapping[str, Seen] = {}

    def at(self, now: float, **values: float | None) -> list[str]:
        """What is told when the groups have these values at that time."""
        groups = [Group({"model": name}, value) for name, value in values.items()]
        self.seen, announcements = decide(self.rule, self.seen, groups, now=1e9 + now)
        return [f"{each.event} {each.seen.labels['model']}" for each in announcements]


def test_a_group_is_announced_once_and_its_recovery_once() -> None:
    story = Story()
    assert story.at(0, a=0.05) == []
    assert story.at(10, a=0.2) == ["firing a"]
    assert story.at(20, a=0.3) == []
    assert story.at(30, a=0.1) == ["recovered a"]
    assert story.at(40, a=0.1) == []


def test_a_group_that_goes_on_is_repeated_after_the_hold_off() -> None:
    story = Story()
    assert story.at(0, a=1) == ["firing a"]
    assert story.at(99, a=1) == []
    assert story.at(100, a=1) == ["still_firing a"]
    assert story.at(150, a=1) == []
    assert story.at(200, a=1) == ["still_firing a"]


def test_a_flapping_group_is_quiet_within_the_hold_off() -> None:
    story = Story()
    told = [story.at(now, a=now % 20 and 1) for now in range(10, 100, 10)]
    assert [line for lines in told for line in lines] == ["firing a", "recovered a"]
    # It fires when the hold-off ends: now it counts.
    assert story.at(105, a=1) == []
    assert story.at(115, a=1) == ["firing a"]
    assert story.at(120, a=0) == ["recovered a"]


def test_groups_are_apart_and_one_that_is_gone_has_recovered() -> None:
    story = Story()
    assert story.at(0, a=1, b=0) == ["firing a"]
    assert story.at(10, b=1) == ["firing b", "recovered a"]
    assert story.at(20, b=None) == ["recovered b"]


def test_nothing_is_remembered_of_a_group_for_longer_than_its_hold_off() -> None:
    story = Story()
    story.at(0, a=1)
    story.at(10, a=0)
    assert list(story.seen) == ['{"model": "a"}']
    story.at(100, a=0)
    assert story.seen == {}


def test_every_comparison() -> None:
    cases = {">": (1, 0), ">=": (0.5, 0.4), "<": (0, 0.5), "<=": (0.5, 0.6), "=": (0.5, 1), "!=": (1, 0.5)}
    for comparison, (fires, rests) in cases.items():
        rule = AlertRule("", "x", "", comparison=comparison, threshold=0.5)
        assert (rule.fires(fires), rule.fires(rests), rule.fires(None)) == (True, False, False), comparison
