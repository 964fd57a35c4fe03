"""What somebody no longer wants ..."""

from __future__ import annotations

import uuid

import pytest

from cdp.dataflows import clearing, lifecycle
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import CatalogRow, Payload, Run
from cdp.profiles.models import Account, Contribution, Interaction, Profile
from tests.cdp.dataflows.conftest import USERS, Feed
from tests.cdp.dataflows.test_runs import EVENTS, PRODUCTS

pytestmark = pytest.mark.django_db
State = Run.State


@pytest.mark.parametrize("kind", ["personal", "catalog"])
def test_a_run_ends_at_once_and_takes_along_what_it_would_have_put_in_force(feed: Feed, kind: str) -> None:
    key, sample = ("sku", PRODUCTS) if kind == "catalog" else ("id", USERS)
    feed.prepare(sample, kind=kind, mode="overwrite", **({"key": key} if kind == "catalog" else {}))
    feed.activate()
    feed.deliver(sample)
    number = uuid.uuid4()
    feed.post([{key: "31"}, {key: "32"}], run=number)
    feed.work()
    feed.post([{key: "33"}], run=number, sequence=1)
    running = Run.objects.get(number=number)
    assert running.state == State.RUNNING
    clearing.cancel(running)
    assert (running.state, running.error) == (State.CANCELLED, "cancelled")
    assert not Payload.objects.exclude(sealed="").filter(run=running).exists()
    feed.work()
    running.refresh_from_db()
    assert (running.done_chunks, running.generations) == (1, {})
    assert CatalogRow.objects.count() + Contribution.objects.count() == 2
    assert Profile.objects.count() == (0 if kind == "catalog" else 2)
    assert feed.post([{key: "34"}], run=number, sequence=2, final=True).status_code == 409
    with pytest.raises(DataflowFault) as fault:
        clearing.cancel(running)
    assert fault.value.code == "run_over"
    assert feed.deliver(sample).state == State.SUCCEEDED
    lifecycle.archive(feed.flow)


def test_what_a_run_left_goes_without_its_job_too(feed: Feed) -> None:
    from config.jobs.models import Job

    feed.prepare(mode="overwrite")
    feed.activate()
    number = uuid.uuid4()
    feed.post(USERS, run=number)
    feed.work()
    clearing.cancel(Run.objects.get(number=number))
    Job.objects.all().delete()
    clearing.clear_rest()
    assert (Contribution.objects.count(), Profile.objects.count()) == (0, 0)


def test_a_dataflow_takes_along_what_it_stored_if_somebody_says_so(account: Account) -> None:
    other, people = Feed(account, "Other"), Feed(account, "People")
    events, goods = Feed(account, "Events"), Feed(account, "Goods")
    for feed, sample in ((other, USERS[:1]), (people, USERS)):
        feed.prepare(sample)
    events.prepare(EVENTS, kind="interaction")
    goods.prepare(PRODUCTS, kind="catalog", key="sku")
    for feed in (other, people, events, goods):
        feed.activate()
    other.deliver([USERS[0] | {"city": "Rome"}])
    people.deliver(USERS)
    events.deliver([*EVENTS, EVENTS[1] | {"id": 99, "event_id": "e9"}])
    goods.deliver(PRODUCTS)
    lifecycle.archive(people.flow, with_data=True)
    other.work()
    assert other.facts() == {"14": {"id": 14, "login": "ada", "email": "ada@example.org", "city": "Rome"}} | {
        "15": {},
        "99": {},
    }
    for feed in (events, goods):
        lifecycle.archive(feed.flow, with_data=True)
    other.work()
    assert (Interaction.objects.count(), CatalogRow.objects.count()) == (0, 0)
    assert set(other.facts()) == {"14"}
    lifecycle.archive(other.flow)
    other.work()
    assert set(other.facts()) == {"14"}
