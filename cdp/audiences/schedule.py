"""When audiences are calculated: the smaller the smallest range of time in a rule the more often, in the time
zone of the account (reference `cdp.md` 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from cdp.audiences.calculate import calculate, give_up_dead
from cdp.audiences.compile.statement import Rule
from cdp.audiences.conditions.document import Attribute, Check, Did, Have, Window
from cdp.audiences.conditions.faults import BadDefinition
from cdp.audiences.conditions.walk import in_order, nodes
from cdp.audiences.faults import Busy, CannotCalculate
from cdp.audiences.models import Audience, AudienceRun
from cdp.audiences.rules import Rules, rule_of
from config.jobs import queue, schedule
from config.jobs.models import Job

JOB = "audience"
SWEEP_SECONDS = 30.0
AGAIN = timedelta(seconds=15)  # after a calculation by hand met another of the audience
HOURS = {"hour": 1, "day": 24, "week": 168, "month": 720, "year": 8_760}


class Interval(StrEnum):
    HOURLY = "hourly"
    TWICE = "twice"
    DAILY = "daily"


TIMES = {
    Interval.HOURLY: [time(hour) for hour in range(24)],
    Interval.TWICE: [time(5), time(18)],
    Interval.DAILY: [time(23, 59)],
}


def interval(rule: Rule, rules: Rules) -> Interval:
    """How often: hourly below a day, twice a day up to seven, else daily. Nested audiences count.

    Raises BadDefinition.
    """
    needed = in_order(rule.tree, lambda key: rules[key].tree if key in rules else None)
    hours = min(
        (one for each in (rule, *(rules[key] for key in needed)) for one in ranges(each)), default=None
    )
    if hours is None or hours > 7 * 24:
        return Interval.DAILY
    return Interval.HOURLY if hours < 24 else Interval.TWICE


def ranges(rule: Rule) -> Iterator[int]:
    """The lengths of the ranges of time that move with the clock, in hours."""
    for _, node in nodes(rule.tree):
        if isinstance(node, Did):
            yield from of_window(node.events.window)
        elif isinstance(node, Have):
            yield from of_check(node.check)
            if not isinstance(node.subject, Attribute):
                yield from of_window(node.subject.events.window)


def of_window(window: Window) -> Iterator[int]:
    if window.kind in ("in_last", "not_in_last"):
        yield window.n * HOURS[window.unit]


def of_check(check: Check) -> Iterator[int]:
    if check.op in ("in_last", "in_next"):
        yield int(str(check.value)) * HOURS[str(check.value2)]
    elif check.op == "anniversary_in_next":
        yield (int(str(check.value)) + 1) * HOURS["day"]


def last_turn(every: Interval, now: datetime, zone: ZoneInfo) -> datetime:
    """The newest moment of the interval that is not later than ``now``."""
    return max(one for one in turns(every, now, zone) if one <= now)


def next_turn(every: Interval, now: datetime, zone: ZoneInfo) -> datetime:
    return min(one for one in turns(every, now, zone) if one > now)


def turns(every: Interval, now: datetime, zone: ZoneInfo) -> list[datetime]:
    """Of yesterday, today and tomorrow there. An hour that the clock skips is that after it."""
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=ahead) for ahead in (-1, 0, 1)]
    return [
        datetime.combine(day, at, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for day in days
        for at in TIMES[every]
        for fold in ((0, 1) if every is Interval.HOURLY else (0,))
    ]


def due(now: datetime | None = None, *, rows: QuerySet[Audience] | None = None) -> list[Audience]:
    """The audiences whose turn has come since they were last calculated by schedule, or made."""
    moment = now or timezone.now()
    known: dict[int, Rules] = {}
    return [one for one in (of_all() if rows is None else rows) if is_due(one, moment, known)]


def of_all() -> QuerySet[Audience]:
    scheduled = Max("runs__started_at", filter=Q(runs__trigger=AudienceRun.Trigger.SCHEDULE))
    rows = Audience.objects.filter(archived_at=None).select_related("account").order_by("pk")
    return rows.annotate(last_scheduled=scheduled)


def is_due(audience: Audience, now: datetime, known: dict[int, Rules]) -> bool:
    rules = known.setdefault(audience.account_id, Rules(audience.account))
    last = getattr(audience, "last_scheduled", None) or audience.created_at
    try:
        every = interval(rule_of(audience), rules)
    except BadDefinition:
        every = Interval.DAILY  # a calculation says what is wrong
    return last_turn(every, now, rules.zone) > last


@schedule.periodic("audiences", every=SWEEP_SECONDS)
def sweep() -> int:
    """Queue a job for every audience whose turn has come; one that waits already is not queued again."""
    give_up_dead()
    found = due()
    for audience in found:
        enqueue(audience, trigger=AudienceRun.Trigger.SCHEDULE)
    return len(found)


def enqueue(
    audience: Audience,
    *,
    trigger: AudienceRun.Trigger = AudienceRun.Trigger.MANUAL,
    delay: timedelta = timedelta(0),
) -> Job:
    payload = {"audience": audience.pk, "trigger": trigger.value}
    return queue.enqueue(JOB, payload, key=f"{audience.pk}-{trigger}", delay=delay)


@queue.job(JOB)
def work(run: queue.Run) -> dict[str, Any]:
    """Calculate one audience, unless somebody else does or its turn was taken meanwhile."""
    audience = Audience.objects.filter(pk=run.payload["audience"], archived_at=None).first()
    if audience is None:
        return {"skipped": "archived or gone"}
    trigger = AudienceRun.Trigger(run.payload["trigger"])
    if trigger is AudienceRun.Trigger.SCHEDULE and not due(rows=of_all().filter(pk=audience.pk)):
        return {"skipped": "not due any more"}
    try:
        done = calculate(audience, trigger=trigger)
    except Busy as busy:
        if trigger is AudienceRun.Trigger.MANUAL:  # the rule may be newer than the one under way
            enqueue(audience, delay=AGAIN)
            return {"postponed": str(busy)}
        return {"skipped": str(busy)}  # its turn is still due
    except CannotCalculate as fault:  # its next turn tries again
        raise queue.GiveUp(str(fault)) from fault
    return {"count": done.count, "joined": done.joined, "left": done.left}
