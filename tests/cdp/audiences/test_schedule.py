"""How often an audience is calculated, and when (reference `cdp.md` 3.1, A31)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from cdp.audiences import schedule
from cdp.audiences.compile.statement import Rule
from cdp.audiences.conditions.read import read
from cdp.audiences.models import Audience, AudienceRun
from cdp.audiences.rules import Rules, rule_of
from cdp.audiences.schedule import Interval, due, interval, last_turn, next_turn
from cdp.profiles.models import Account
from config.jobs import queue
from config.jobs.models import Job
from tests.cdp.audiences.conftest import Make
from tests.cdp.audiences.documents import between, calc, did, group, have, last, member
from tests.cdp.audiences.population import at

pytestmark = pytest.mark.django_db
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (did("buy"), Interval.DAILY),
        (did("buy", window=between("2025-01-01", "2025-01-02")), Interval.DAILY),
        (did("buy", window=last(23, "hour")), Interval.HOURLY),
        (did("buy", window=last(24, "hour")), Interval.TWICE),
        (did("buy", window=last(7, "day")), Interval.TWICE),
        (did("buy", window=last(1, "week")), Interval.TWICE),
        (did("buy", window=last(8, "day")), Interval.DAILY),
        (did("buy", window={"kind": "not_in_last", "n": 3, "unit": "hour"}), Interval.HOURLY),
        (have(calc("sum", window=last(6, "hour")), "gt", 5), Interval.HOURLY),
        (have("born", "anniversary_in_next", 6), Interval.TWICE),
        (have("seen_at", "in_last", 2, value2="hour"), Interval.HOURLY),
        (group(group(did("visit", window=last(1, "hour")))), Interval.HOURLY),
    ],
)
def test_it_follows_the_smallest_range(account: Account, node: dict[str, Any], expected: Interval) -> None:
    assert interval(Rule(tree=read(group(node, did("buy")))), Rules(account)) is expected


@pytest.mark.case("A31")
def test_it_counts_the_ranges_of_nested_audiences(make: Make, account: Account) -> None:
    make("Recent", group(did("visit", window=last(6, "hour"))))
    make("Between", group(member("recent")))
    outer = make("Outer", group(member("between")))
    assert interval(rule_of(outer), Rules(account)) is Interval.HOURLY


@pytest.mark.parametrize(
    ("every", "now", "before", "after"),
    [
        (Interval.HOURLY, "2025-05-01T12:34:00Z", "2025-05-01T12:00:00Z", "2025-05-01T13:00:00Z"),
        (Interval.TWICE, "2025-05-01T12:00:00Z", "2025-05-01T03:00:00Z", "2025-05-01T16:00:00Z"),
        (Interval.TWICE, "2025-05-01T02:59:00Z", "2025-04-30T16:00:00Z", "2025-05-01T03:00:00Z"),
        (Interval.DAILY, "2025-05-01T12:00:00Z", "2025-04-30T21:59:00Z", "2025-05-01T21:59:00Z"),
        (Interval.DAILY, "2025-05-01T21:59:00Z", "2025-05-01T21:59:00Z", "2025-05-02T21:59:00Z"),
        # The clock goes from 3 back to 2, and from 2 on to 3.
        (Interval.HOURLY, "2025-10-26T01:30:00Z", "2025-10-26T01:00:00Z", "2025-10-26T02:00:00Z"),
        (Interval.HOURLY, "2025-03-30T01:30:00Z", "2025-03-30T01:00:00Z", "2025-03-30T02:00:00Z"),
    ],
)
def test_it_knows_the_turns_of_the_accounts_time_zone(
    every: Interval, now: str, before: str, after: str
) -> None:
    assert last_turn(every, at(now), COPENHAGEN) == at(before)
    assert next_turn(every, at(now), COPENHAGEN) == at(after)


def made_at(audience: Audience, text: str) -> None:
    Audience.objects.filter(pk=audience.pk).update(created_at=at(text))


def test_it_is_due_once_for_each_turn(make: Make) -> None:
    audience = make("Recent", group(did("visit", window=last(6, "hour"))))
    made_at(audience, "2025-05-01T11:30:00Z")
    assert due(at("2025-05-01T11:59:59Z")) == []
    assert due(at("2025-05-01T12:00:00Z")) == [audience]
    run = AudienceRun.objects.create(audience=audience, sequence=1, as_of=at("2025-05-01T12:00:00Z"))
    AudienceRun.objects.filter(pk=run.pk).update(started_at=at("2025-05-01T12:00:10Z"), state="failed")
    assert due(at("2025-05-01T12:59:00Z")) == []
    assert due(at("2025-05-01T18:30:00Z")) == [audience]


def test_it_counts_no_calculation_by_hand_as_a_turn(make: Make) -> None:
    audience = make("Recent", group(did("visit", window=last(6, "hour"))))
    made_at(audience, "2025-05-01T11:30:00Z")
    run = AudienceRun.objects.create(audience=audience, sequence=1, trigger="manual", as_of=timezone.now())
    AudienceRun.objects.filter(pk=run.pk).update(started_at=at("2025-05-01T12:00:10Z"))
    assert due(at("2025-05-01T12:30:00Z")) == [audience]


def test_it_queues_a_job_for_each_that_is_due_and_runs_it(make: Make) -> None:
    audience = make("Recent", group(did("buy", window=last(6, "hour"))))
    make("Later", group(did("buy")))
    Audience.objects.filter(pk=audience.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert schedule.sweep() == 1
    assert schedule.sweep() == 1
    assert Job.objects.filter(kind=schedule.JOB).count() == 1
    assert queue.run_due(kinds=[schedule.JOB]) == 1
    assert AudienceRun.objects.get().trigger == "schedule"
    assert schedule.sweep() == 0


def test_it_tries_a_failed_one_again_at_its_next_turn_only(make: Make) -> None:
    audience = make("Recent", group(did("buy", window=last(6, "hour"))))
    Audience.objects.filter(pk=audience.pk).update(
        created_at=timezone.now() - timedelta(days=3), definition={"type": "group"}
    )
    schedule.sweep()
    queue.run_due(kinds=[schedule.JOB])
    assert Job.objects.get(kind=schedule.JOB).state == "failed"
    assert AudienceRun.objects.get().state == "failed"
    assert schedule.sweep() == 0


def test_it_passes_over_what_was_archived_meanwhile(make: Make) -> None:
    audience = make("Buyers", group(did("buy")))
    schedule.enqueue(audience)
    Audience.objects.update(archived_at=timezone.now())
    queue.run_due(kinds=[schedule.JOB])
    assert Job.objects.get(kind=schedule.JOB).result == {"skipped": "archived or gone"}


def test_it_calculates_by_hand_once_the_one_under_way_has_ended(make: Make) -> None:
    audience = make("Buyers", group(did("buy")))
    Audience.objects.update(lease_owner="another", lease_until=timezone.now() + timedelta(minutes=1))
    schedule.enqueue(audience)
    assert queue.run_due(kinds=[schedule.JOB]) == 1
    first, again = Job.objects.filter(kind=schedule.JOB).order_by("pk")
    assert (first.state, list(first.result)) == ("done", ["postponed"])
    assert again.run_after > timezone.now() + timedelta(seconds=5)
    assert not AudienceRun.objects.exists()

    Audience.objects.update(lease_owner="", lease_until=None)
    Job.objects.filter(pk=again.pk).update(run_after=timezone.now())
    assert queue.run_due(kinds=[schedule.JOB]) == 1
    assert AudienceRun.objects.get().trigger == "manual"
    assert not Job.objects.filter(kind=schedule.JOB, state="queued").exists()
