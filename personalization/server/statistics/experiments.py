"""A/B tests of two scenarios: begun, running, ended (engine-protocol.md 6.9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext

from personalization.server import plans
from personalization.server.models import Scenario, ScenarioTest
from personalization.server.scenarios import changes
from personalization.server.wrong import Problem, Wrong

SHARES, WEEKS = range(1, 51), range(1, 9)
# What was "now" when somebody filled a form in is still now when it arrives.
PATIENCE = timedelta(minutes=5)


class WrongTest(Wrong):
    """A test that cannot be made; each problem says beside which field it belongs."""


def begin(
    customer_id: str,
    *,
    scenario_a: str,
    scenario_b: str,
    share_b: int = 10,
    starts_at: datetime | None = None,
    weeks: int = 2,
) -> ScenarioTest:
    """Make a test that answers ``share_b`` percent of the users of A with B. Raises :class:`WrongTest`.

    ``starts_at``: now where it is missing.
    """
    now = timezone.now()
    begins = starts_at or now
    problems = bounds_problems(share_b, weeks, begins, now)
    with transaction.atomic():
        found = scenario_problems(customer_id, scenario_a, scenario_b)
        if not problems and not found:
            ends = begins + timedelta(weeks=weeks)
            found = taken_problems(customer_id, scenario_a, scenario_b, begins, ends)
        if problems := [*found, *problems]:
            raise WrongTest(problems)
        return ScenarioTest.objects.create(
            customer_id=customer_id,
            scenario_a=scenario_a,
            scenario_b=scenario_b,
            share_b=share_b,
            starts_at=begins,
            ends_at=begins + timedelta(weeks=weeks),
        )


def bounds_problems(share_b: int, weeks: int, begins: datetime, now: datetime) -> list[Problem]:
    problems = []
    if share_b not in SHARES:
        said = gettext("The share of B must be from 1 to 50 percent; got %(share)s.") % {"share": share_b}
        problems.append(Problem("share_b", said))
    if weeks not in WEEKS:
        said = gettext("A test takes 1 to 8 weeks; got %(weeks)s.") % {"weeks": weeks}
        problems.append(Problem("weeks", said))
    if begins < now - PATIENCE:
        problems.append(
            Problem("starts_at", gettext("The test would begin in the past; choose a later time."))
        )
    return problems


def scenario_problems(customer_id: str, a: str, b: str) -> list[Problem]:
    """Both must be there, differ, and answer with the same types. Their rows are locked, so that of two tests
    that are made at once the second finds the first."""
    rows = {
        row.identifier: row
        for row in Scenario.objects.select_for_update()
        .filter(customer_id=customer_id, identifier__in=(a, b))
        .order_by("pk")
    }
    told = {"a": a, "b": b}
    missing = [
        Problem(field, gettext("There is no scenario %(name)s.") % {"name": name})
        for field, name in (("scenario_a", a), ("scenario_b", b))
        if name not in rows
    ]
    if missing:
        return missing
    if a == b:
        said = gettext("A test compares two scenarios; %(a)s was named twice.")
        return [Problem("scenario_b", said % told)]
    if sorted(rows[a].output_types) != sorted(rows[b].output_types):
        said = gettext("%(a)s and %(b)s must have the same output types.")
        return [Problem("scenario_b", said % told)]
    return []


def taken_problems(customer_id: str, a: str, b: str, begins: datetime, ends: datetime) -> list[Problem]:
    """A scenario is part of one test at a time."""
    same = Q(scenario_a__in=(a, b)) | Q(scenario_b__in=(a, b))
    taken = ScenarioTest.objects.filter(same, customer_id=customer_id, starts_at__lt=ends, ends_at__gt=begins)
    other = taken.order_by("starts_at").first()
    if other is None:
        return []
    said = gettext("%(a)s and %(b)s are tested already at that time, until %(until)s.") % {
        "a": other.scenario_a,
        "b": other.scenario_b,
        "until": formats.date_format(timezone.localtime(other.ends_at), "SHORT_DATETIME_FORMAT"),
    }
    first = a in (other.scenario_a, other.scenario_b)
    return [Problem("scenario_a" if first else "scenario_b", said)]


def end(test: ScenarioTest) -> bool:
    """Stop a test; everybody gets A again within a second. Whether it had not ended already.

    One that has not begun is over before it began: it is archived without figures.
    """
    now = timezone.now()
    rows = ScenarioTest.objects.filter(pk=test.pk, ends_at__gt=now)
    changed = rows.filter(starts_at__gt=now).update(starts_at=now, ends_at=now) or rows.update(ends_at=now)
    plans.forget()
    return bool(changed)


def take_over(test: ScenarioTest, *, version_a: str, version_b: str) -> Scenario:
    """Give A what B has: types, models, levels and filters; name, identifier and description stay.

    The test ends. ``version_a``, ``version_b``: of what was shown, as :func:`changes.version_of` says. Raises
    :class:`Wrong` where one of them was changed or removed meanwhile.
    """
    with transaction.atomic():
        rows = {
            row.identifier: row
            for row in Scenario.objects.select_for_update()
            .filter(customer_id=test.customer_id, identifier__in=(test.scenario_a, test.scenario_b))
            .order_by("pk")
        }
        a, b = rows.get(test.scenario_a), rows.get(test.scenario_b)
        if a is None or b is None or changes.version_of(b) != version_b:
            said = gettext(
                "One of the scenarios was changed or removed meanwhile. Look at both, then try again."
            )
            raise Wrong([Problem("", said)])
        given = changes.Given(
            name=a.name,
            description=a.description,
            input_type=b.input_type,
            output_types=b.output_types,
            strategy=b.strategy,
            filters=b.filters,
        )
        saved = changes.save(a, given, version=version_a)
        end(test)
        return saved
