"""A dataflow with a schedule ..."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cdp.dataflows import lifecycle, run
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, Run
from tests.cdp.dataflows.conftest import USERS, Feed

pytestmark = pytest.mark.django_db
ADA, BOB = USERS
NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)


class Clock:
    """The time that everybody reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def at(self, hour: int, minute: int = 0, *, day: int = 2) -> None:
        self.now = datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def nightly(clock: Clock, active: Feed) -> Feed:
    lifecycle.set_schedule(active.flow, " 0  2 * * * ")
    return active


def turn(feed: Feed) -> None:
    """What a worker does every few seconds."""
    run.sweep()
    feed.work()


def test_it_collects_what_comes_and_processes_it_at_its_time(nightly: Feed, clock: Clock) -> None:
    for row in (ADA, ADA | {"city": "Rome"}):
        assert nightly.post([row]).json()["state"] == "queued"
    turn(nightly)
    clock.at(1, 59, day=3)
    turn(nightly)
    assert nightly.facts() == {}
    clock.at(2, day=3)
    turn(nightly)
    assert nightly.facts()["14"]["city"] == "Rome"
    runs = Run.objects.filter(kind="production")
    assert set(runs.values_list("state", "trigger", "due_at")) == {("succeeded", "schedule", clock.now)}
    clock.at(2, 1, day=3)
    late = nightly.post([BOB])
    turn(nightly)
    assert Run.objects.get(number=late.json()["run"]).due_at == clock.now + timedelta(hours=23, minutes=59)
    assert set(nightly.facts()) == {"14"}


def test_it_makes_up_a_time_at_which_no_worker_ran(nightly: Feed, clock: Clock) -> None:
    nightly.post([ADA])
    clock.at(9, day=5)
    turn(nightly)
    assert set(nightly.facts()) == {"14"}


def test_it_processes_nothing_while_it_is_paused(nightly: Feed, clock: Clock) -> None:
    nightly.post([ADA])
    lifecycle.pause(nightly.flow)
    clock.at(3, day=3)
    turn(nightly)
    assert nightly.facts() == {}
    assert nightly.post([ADA | {"city": "Rome"}, BOB]).json()["state"] == "held"
    assert lifecycle.resume(nightly.flow) == 1
    turn(nightly)
    assert nightly.facts()["14"]["city"] == "Oslo"
    clock.at(2, day=4)
    turn(nightly)
    assert nightly.facts()["14"]["city"] == "Rome"
    assert set(Run.objects.filter(state="succeeded", kind="held_replay").values_list("trigger")) == {
        ("schedule",)
    }


def test_its_held_data_is_processed_at_once_when_somebody_says_so(clock: Clock, feed: Feed) -> None:
    feed.prepare()
    lifecycle.set_schedule(feed.flow, "0 2 * * *")
    feed.post(USERS)
    feed.activate()
    assert set(feed.facts()) == {"14", "15"}
    assert Run.objects.get(kind="held_replay").trigger == "manual"


@pytest.mark.parametrize(
    ("expression", "hour"), [("", 12), ("0 13 * * *", 13)], ids=["as it comes", "another time"]
)
def test_its_change_holds_for_what_is_collected(
    nightly: Feed, clock: Clock, expression: str, hour: int
) -> None:
    tested = nightly.flow.tested_hash
    nightly.post([ADA])
    lifecycle.set_schedule(nightly.flow, expression)
    assert nightly.flow.tested_hash == tested
    clock.at(hour, 1)
    turn(nightly)
    assert set(nightly.facts()) == {"14"}


def test_it_keeps_to_the_clock_of_the_account(active: Feed, clock: Clock) -> None:
    active.account.time_zone = "Europe/Oslo"
    active.account.save()
    clock.now = datetime(2026, 3, 27, 12, tzinfo=UTC)
    found = []
    for expression in ("30 2 28 * *", "30 2 * * *", "30 2 29 3 *"):  # on the 29th there is no 2:30
        lifecycle.set_schedule(active.flow, expression)
        found.append(Run.objects.get(number=active.post([ADA]).json()["run"]).due_at)
    assert [str(one)[:16] for one in found] == ["2026-03-28 01:30", "2026-03-28 01:30", "2027-03-29 00:30"]


def test_it_is_kept_by_a_clone_and_needs_no_other_test(nightly: Feed) -> None:
    assert lifecycle.clone(nightly.flow).schedule == "0 2 * * *"
    assert Dataflow.objects.get(pk=nightly.flow.pk).working_copy is None


def test_it_refuses_an_expression_that_cannot_be(nightly: Feed) -> None:
    nightly.post([ADA])
    for expression in ("tonight", "0 25 * * *", "0 0 31 2 *", "* " * 500, "\0 0 * * *"):
        with pytest.raises(DataflowFault, match="^The schedule (must|has) ") as caught:
            lifecycle.set_schedule(nightly.flow, expression)
        assert (caught.value.code, caught.value.field) == ("bad_schedule", "schedule")
        assert Dataflow.objects.get(pk=nightly.flow.pk).schedule == "0 2 * * *"
    lifecycle.archive(nightly.flow)
    assert not Run.objects.filter(state="queued").exists()
    with pytest.raises(DataflowFault):
        lifecycle.set_schedule(nightly.flow, "")


def test_it_is_set_on_the_page_of_its_last_stage(
    active: Feed, client: Client, admin_user: Any, django_user_model: Any
) -> None:
    address = f"/admin/customer-data/dataflow/{active.flow.pk}/activation/"
    client.force_login(admin_user)
    wrong = client.post(address, {"action": "schedule", "schedule": "0 25 * * *"})
    assert wrong.status_code == 422
    assert "as hour, which must be 0 to 23" in wrong.content.decode()
    assert 'value="0 25 * * *"' in wrong.content.decode()
    client.post(address, {"action": "schedule", "schedule": "0 2 * * *"})
    assert Dataflow.objects.get().schedule == "0 2 * * *"
    assert "Deliveries are collected; the next time is" in client.get(address).content.decode()
    number = active.post([ADA]).json()["run"]
    shown = client.get(address.replace("activation", f"runs/{Run.objects.get(number=number).pk}"))
    assert "Collected by the schedule until" in shown.content.decode()
    client.force_login(django_user_model.objects.create_user("nobody"))
    client.post(address, {"action": "schedule", "schedule": ""})
    assert Dataflow.objects.get().schedule == "0 2 * * *"
