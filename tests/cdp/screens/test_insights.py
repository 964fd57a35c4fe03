"""An Operational Insight ..."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError
from django.test import Client
from django.utils import timezone

from cdp.activations import changes as activating
from cdp.activations import deliver
from cdp.activations.models import Activation
from cdp.audiences import calculate, changes, schedule
from cdp.audiences.models import Audience, AudienceRun
from cdp.dataflows import checks, delivery, lifecycle, run, trial
from cdp.dataflows.models import Run
from cdp.export.signals import scheduled_ended
from cdp.profiles import checks as account_checks
from cdp.profiles import feed as tracked
from cdp.profiles import insights
from cdp.profiles.models import Account, Insight
from cdp.tracking import forget
from cdp.tracking.models import Message
from tests.cdp.dataflows.conftest import USERS, Feed
from tests.cdp.screens.conftest import somebody
from tracking import queries

pytestmark = pytest.mark.django_db
LIST = "/admin/customer-data/insights/"
RULE = {"type": "did", "event": "buy", "window": {"kind": "in_last", "n": 3, "unit": "day"}}
TOP = {"type": "group", "op": "and", "not": False, "children": [RULE]}


def is_open(code: str) -> bool:
    return Insight.objects.get(code=code).closed_at is None


def codes() -> set[str]:
    return set(insights.still_open().values_list("code", flat=True))


@pytest.fixture
def active(feed: Feed) -> Feed:
    feed.prepare()
    feed.activate()
    return feed


@pytest.fixture
def audience(account: Account) -> Audience:
    return changes.create(account, name="Buyers", definition=TOP)


def test_it_is_reported_of_runs_and_closes_after_a_clean_one(active: Feed) -> None:
    active.deliver([{"id": 1, "city": "Oslo"}, {"city": "of nobody"}, {"id": 2}])
    assert codes() == {"rows_refused"}
    failed = active.deliver([{"city": "of nobody"}])
    assert (failed.state, codes()) == (Run.State.FAILED, {"rows_refused", "run_failed"})
    message = Insight.objects.get(code="run_failed").message
    assert message == "A run of Users failed: More than half of the rows are wrong."
    active.deliver(USERS)
    assert codes() == set()
    active.deliver([{"city": "of nobody"}])
    row = Insight.objects.get(code="run_failed")
    assert (row.closed_at, row.count) == (None, 2)
    lifecycle.archive(active.flow)
    assert codes() == set()


def test_it_tells_of_new_columns_once_a_run_and_never_as_an_error(active: Feed) -> None:
    done = active.deliver([{"id": 1, "shoe_size": 44}])
    assert (done.state, done.errors.count()) == (Run.State.SUCCEEDED, 0)
    number = done.number
    assert "has columns that are not known and ignored: shoe_size." in Insight.objects.get().message
    active.deliver([{"id": 1, "shoe_size": 44}])
    assert Insight.objects.get().count == 2
    assert str(number) not in Insight.objects.get().message
    active.deliver(USERS)
    assert not is_open("new_column")


def test_it_tells_of_held_data_that_was_dropped(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.prepare()
    monkeypatch.setattr(delivery, "MOST_HELD_RUNS", 1)
    feed.post(USERS)
    assert [one.about for one in checks.dataflows()] == ["dataflow Users"]  # it is full
    feed.post(USERS)
    assert "A held run of Users was dropped: Newer data was held" in Insight.objects.get().message
    Run.objects.filter(state=Run.State.HELD).update(started_at=timezone.now() - timedelta(days=15))
    run.purge()
    assert "Held for 14 days" in Insight.objects.get().message
    feed.post(USERS)
    assert trial.test(feed.flow).passed
    lifecycle.activate(feed.flow)
    feed.work()
    assert codes() == set()


def test_a33_it_is_raised_when_a_calculation_dies_and_closes_after_the_next(audience: Audience) -> None:
    calculate.calculate(audience)
    before = Audience.objects.get(pk=audience.pk)
    calculate.begin(audience, as_of=timezone.now(), trigger=AudienceRun.Trigger.MANUAL)  # and dies
    assert schedule.give_up_dead() == 0
    Audience.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    schedule.sweep()
    assert is_open("audience_failed")
    after = Audience.objects.get(pk=audience.pk)
    assert (after.calculated_at, after.profile_count) == (before.calculated_at, before.profile_count)
    assert after.lease_owner == ""
    calculate.calculate(audience)
    assert not is_open("audience_failed")


def test_it_tells_of_activations_that_stop_or_fail_for_long(audience: Audience, account: Account) -> None:
    activation, _ = activating.create(
        account, name="Mail", kind="csv", person_identifier="email", audiences=[audience]
    )
    for _number in range(deliver.COMPLAIN_AFTER):
        assert codes() == set()
        deliver.later(activation, deliver.begin(activation), deliver.Later("The receiver is away."))
    assert "Mail has failed 3 times in a row" in Insight.objects.get().message
    deliver.broken(activation, deliver.begin(activation), "The receiver answers 401.")
    assert "Mail has stopped until it is edited or resumed: The receiver" in Insight.objects.get().message
    activating.resume(activation)
    activating.mark(activation)
    deliver.deliver(activation.pk)
    assert (Activation.objects.get().state, codes()) == ("active", set())


def test_it_tells_of_scheduled_exports(account: Account) -> None:
    place = "ibexa_cdp.data_export.schedule.user[0]"
    for number in (account.number, None):
        scheduled_ended.send(None, place=place, account=number, error="The receiver is away.")
        assert Insight.objects.get().message == f"The scheduled export {place} failed: The receiver is away."
        assert is_open("export_failed")
        scheduled_ended.send(None, place=place, account=account.number, error="")
        assert not is_open("export_failed")


@pytest.mark.django_db(databases="__all__")
def test_it_tells_once_of_a_feed_that_fails_and_closes_when_it_is_read(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_after = queries.stored_after

    def broken(*_given: Any, **_more: Any) -> int:
        raise DataError("a value of somebody")

    monkeypatch.setattr(queries, "stored_after", broken)
    tracked.feed_all()
    tracked.feed_all()
    row = Insight.objects.get(code="feed_failed")
    assert (row.count, "somebody" in row.message) == (1, False)
    monkeypatch.setattr(queries, "stored_after", stored_after)
    tracked.feed_all()
    assert not is_open("feed_failed")


@pytest.mark.django_db(databases="__all__")
def test_it_tells_of_tracked_events_that_cannot_be_delivered(account: Account) -> None:
    Message.objects.create(account=account.number, customer_id="501", received=0, body="x")
    from cdp.tracking import deliver as tracking

    tracking.deliver()
    assert is_open("tracking_refused")
    forget.tidy()
    assert not is_open("tracking_refused")


def test_its_list_shows_open_ones_first_and_links_what_is_affected(
    admin: Client, feed: Feed, audience: Audience
) -> None:
    account = feed.account
    insights.report(account, code="run_failed", subject=str(feed.flow.pk), message="A run failed.")
    insights.report(account, code="audience_failed", subject="buyers", message="Buyers failed.")
    insights.close(account, code="run_failed", subject=str(feed.flow.pk))
    page = str(admin.get(LIST).content.decode())
    row, other = (Insight.objects.get(code=code) for code in ("audience_failed", "run_failed"))
    one = f"/admin/customer-data/insight/{row.pk}/"
    assert page.index(one) < page.index(f"/admin/customer-data/insight/{other.pk}/")
    assert f"/admin/customer-data/audience/{audience.pk}/" in page
    assert f"/admin/customer-data/dataflow/{feed.flow.pk}/" in page
    closed = str(admin.get(LIST, {"state": "closed"}).content.decode())
    assert one not in closed
    assert one not in str(admin.get(LIST, {"code": "run_failed"}).content.decode())
    assert "Buyers failed." in str(admin.get(one).content.decode())
    done = admin.post(one, {"action": "close"}, follow=True)
    assert "Closed. It opens again if it happens again." in str(done.content.decode())
    assert not is_open("audience_failed")


def test_it_is_closed_by_permission_only_and_links_nothing_that_is_not_shown(
    feed: Feed, audience: Audience
) -> None:
    row = insights.report(feed.account, code="audience_failed", subject="buyers", message="Buyers failed.")
    one = f"/admin/customer-data/insight/{row.pk}/"
    viewer = somebody("view_insight")
    page = str(viewer.get(one).content.decode())
    assert "Buyers failed." in page
    assert 'value="close"' not in page
    assert f"/audience/{audience.pk}/" not in page
    viewer.post(one, {"action": "close"})
    assert is_open("audience_failed")
    assert somebody("view_profile").get(one).status_code == 403


def test_the_doctor_names_what_is_open_and_what_waits(feed: Feed) -> None:
    assert all(one.well for one in [*account_checks.known(), *checks.dataflows()])
    insights.report(feed.account, code="run_failed", subject="1", message="x")
    [finding] = account_checks.known()
    assert (finding.about, finding.text) == ("account 123456", "1 Operational Insights are open")
    assert "Operational Insights" in finding.remedy
    feed.prepare()
    assert trial.test(feed.flow).passed
    lifecycle.activate(feed.flow)
    feed.post(USERS)
    feed.flow.runs.get(kind=Run.Kind.PRODUCTION).payloads.update(received_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert "Is the worker running?" in [one.remedy.split(" `")[0] for one in checks.dataflows()]
