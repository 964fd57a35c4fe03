"""What came of an A/B test so far (engine-protocol.md 6.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from personalization.server.models import ScenarioTest
from personalization.server.statistics import groups, report
from personalization.server.statistics.groups import Group
from personalization.server.statistics.report import Line
from personalization.server.statistics.significance import Verdict, verdict
from personalization.server.statistics.spans import DAY, HOUR, Span

BY_HOUR = 2 * DAY  # so short a test is shown by the hour


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the scenarios. ``line``: its calls, what followed them, revenue; ``group``: its people."""

    name: str
    line: Line
    bought: int  # pieces, after a click on a recommendation of the scenario
    group: Group


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """``span``: what was counted. ``verdict``: None before both were asked for."""

    span: Span
    a: Side
    b: Side
    currency: str
    missing: dict[str, Decimal]  # by currency what had no rate and is in no revenue
    verdict: Verdict | None


def outcome(test: ScenarioTest, *, now: datetime | None = None) -> Outcome | None:
    """The figures of both scenarios while they were compared; None before a full hour was counted."""
    span = counted(test, now=now or timezone.now())
    if span is None:
        return None
    found = report.report(test.customer_id, span)
    people = groups.read(test, span)
    a, b = (
        Side(
            name=name,
            line=found.scenarios.get(name, Line()),
            bought=found.revenue.pieces_by_scenario.get(name, 0),
            group=group,
        )
        for name, group in zip((test.scenario_a, test.scenario_b), people, strict=True)
    )
    return Outcome(
        span=span,
        a=a,
        b=b,
        currency=found.revenue.currency,
        missing=found.revenue.missing,
        verdict=verdict(
            # A call that is clicked twice is one that was followed.
            followed_a=min(a.line.followed, a.line.calls),
            calls_a=a.line.calls,
            followed_b=min(b.line.followed, b.line.calls),
            calls_b=b.line.calls,
        ),
    )


def counted(test: ScenarioTest, *, now: datetime) -> Span | None:
    """The time that figures are of. Calls are known by the hour, so the hour in which a test began or ended
    is left out: it also has calls that A answered to everybody."""
    begin = first_hour(test)
    end = now if now < test.ends_at else full_hour(test.ends_at)
    if begin >= end:
        return None
    return Span(begin=begin, end=end, slice=HOUR if end - begin <= BY_HOUR else DAY)


def first_hour(test: ScenarioTest) -> datetime:
    """When counting begins."""
    return full_hour(test.starts_at + HOUR - timedelta(microseconds=1))


def full_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
