"""A/B tests of two scenarios: begun, running, and what came of them (engine-protocol.md 6.9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from personalization.server.models import Scenario, ScenarioTest
from personalization.server.statistics import report
from personalization.server.statistics.significance import Verdict, verdict
from personalization.server.statistics.spans import custom

SHARES, WEEKS = range(1, 51), range(1, 9)


class WrongTest(ValueError):
    """A test that cannot be made; the message says why."""


def begin(
    customer_id: str,
    *,
    scenario_a: str,
    scenario_b: str,
    share_b: int = 10,
    starts_at: datetime | None = None,
    weeks: int = 2,
) -> ScenarioTest:
    """Make a test that answers ``share_b`` percent of the users of A with B. Raises :class:`WrongTest`."""
    if share_b not in SHARES:
        raise WrongTest(f"The share of B must be from 1 to 50 percent; got {share_b}.")
    if weeks not in WEEKS:
        raise WrongTest(f"A test takes 1 to 8 weeks; got {weeks}.")
    if scenario_a == scenario_b:
        raise WrongTest(f"A test compares two scenarios; {scenario_a} was named twice.")
    starts_at = starts_at or timezone.now()
    with transaction.atomic():
        check_scenarios(customer_id, scenario_a, scenario_b)
        check_free(customer_id, {scenario_a, scenario_b}, starts_at, starts_at + timedelta(weeks=weeks))
        return ScenarioTest.objects.create(
            customer_id=customer_id,
            scenario_a=scenario_a,
            scenario_b=scenario_b,
            share_b=share_b,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(weeks=weeks),
        )


def check_scenarios(customer_id: str, *names: str) -> None:
    rows = {
        row.identifier: row for row in Scenario.objects.filter(customer_id=customer_id, identifier__in=names)
    }
    for name in names:
        if name not in rows:
            raise WrongTest(f"There is no scenario {name!r}.")
    a, b = (rows[name] for name in names)
    if sorted(a.output_types) != sorted(b.output_types):
        raise WrongTest(f"{a.identifier} and {b.identifier} must have the same output types.")


def check_free(customer_id: str, names: set[str], begin: datetime, end: datetime) -> None:
    same = Q(scenario_a__in=names) | Q(scenario_b__in=names)
    taken = ScenarioTest.objects.filter(same, customer_id=customer_id, starts_at__lt=end, ends_at__gt=begin)
    if (other := taken.first()) is not None:
        raise WrongTest(f"{other.scenario_a} and {other.scenario_b} are tested already at that time.")


def end(test: ScenarioTest) -> None:
    """Stop a test; everybody gets A again within a second."""
    now = timezone.now()
    ScenarioTest.objects.filter(pk=test.pk, ends_at__gt=now).update(ends_at=max(now, test.starts_at))


def outcome(test: ScenarioTest) -> Verdict | None:
    """What the calls of both scenarios say so far; None before both were asked for."""
    until = min(timezone.now(), test.ends_at)
    if until <= test.starts_at:
        return None
    found = report.report(test.customer_id, custom(test.starts_at, until))
    a, b = (found.scenarios.get(name, report.Line()) for name in (test.scenario_a, test.scenario_b))
    return verdict(
        # A call that is clicked twice is one that was followed.
        followed_a=min(a.followed, a.calls),
        calls_a=a.calls,
        followed_b=min(b.followed, b.calls),
        calls_b=b.calls,
    )
