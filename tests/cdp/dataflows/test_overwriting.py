"""A delivery that overwrites ..."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cdp.dataflows import editing, lifecycle, run, trial
from cdp.dataflows.configuration import Transformation
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import CatalogRow, Payload, Run
from config import sealing
from tests.cdp.dataflows.conftest import USERS, Feed

pytestmark = pytest.mark.django_db
State = Run.State
PRODUCTS = [{"sku": "A", "name": "Tent"}, {"sku": "B", "name": "Mug"}]


def in_force(feed: Feed) -> set[str]:
    """Keys of the catalogue, or user ids of those of whom something is said."""
    rows = CatalogRow.objects.filter(mapped__dataflow=feed.flow).select_related("mapped")
    people = {user for user, said in feed.facts().items() if said}
    return {one.key for one in rows if one.generation == one.mapped.generation} or people


def outcome(number: uuid.UUID) -> tuple[str, str]:
    one = Run.objects.get(number=number)
    return one.state, one.error


@pytest.mark.parametrize(("kind", "sample", "key"), [("catalog", PRODUCTS, "sku"), ("personal", USERS, "id")])
def test_it_never_takes_effect_in_part_nor_undoes_a_newer_one(
    feed: Feed, kind: str, sample: Any, key: str
) -> None:
    feed.prepare(sample, kind=kind, mode="overwrite", **({"key": key} if kind == "catalog" else {}))
    feed.activate()
    old, older, newer = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    feed.post([{key: "10"}], run=older)
    feed.post([{key: "11"}], run=old)
    feed.work()
    feed.post([{key: "30"}], run=newer)
    feed.work()
    assert feed.deliver([{key: "20"}, {key: "21"}]).state == State.SUCCEEDED  # begun after all of these
    assert in_force(feed) == {"20", "21"}
    for one in (old, older):
        feed.post([{key: "12"}], run=one, sequence=1, final=True)
    feed.work()
    assert (outcome(old), outcome(older)) == ((State.FAILED, "overtaken"), (State.FAILED, "overtaken"))
    assert in_force(feed) == {"20", "21"}
    # One that began later is untouched by one that ends before it.
    last, whole = uuid.uuid4(), uuid.uuid4()
    feed.post([{key: "40"}], run=whole)
    feed.work()
    feed.post([{key: "50"}], run=last)
    feed.work()
    feed.post([], run=whole, sequence=1, final=True)
    feed.work()
    assert in_force(feed) == {"40"}
    feed.post([{key: "51"}], run=last, sequence=1, final=True)
    feed.work()
    assert outcome(last)[0] == State.SUCCEEDED
    assert in_force(feed) == {"50", "51"}
    if kind == "personal":  # nobody stays whom only those have named that never took effect
        assert set(feed.facts()) == {"50", "51"}


def test_it_does_not_hold_up_others_when_what_waits_cannot_be_read(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.prepare(mode="overwrite")
    feed.activate()
    lost = feed.post(USERS).json()["run"]
    Payload.objects.filter(run__number=lost).update(sealed=sealing.seal(b"x", purpose="another"))
    assert feed.deliver(USERS[:1]).state == State.SUCCEEDED
    assert outcome(lost) == (State.FAILED, "unreadable")
    assert "SECRET_KEY" in Run.objects.get(number=lost).message
    lifecycle.archive(feed.flow)


@pytest.mark.parametrize(
    ("body", "error", "received"),
    [
        (b"id,city\n,\n", "empty_overwrite", 0),
        (b'id,city\n,"a\nb\nc"\n,"d\ne\nf"\n', "too_many_errors", 2),
    ],
)
def test_its_guards_count_rows_and_not_lines(feed: Feed, body: bytes, error: str, received: int) -> None:
    sample = b"id,city\n14,Oslo\n15,Bergen\n"
    assert feed.post(sample, draft=True, content_type="text/csv").status_code == 202
    editing.validate(feed.flow)
    feed.map(feed.schema(), mode="overwrite")
    feed.activate()
    feed.deliver(sample, content_type="text/csv")
    lines = uuid.uuid4()
    feed.post(b'id,city\n1,"a\nb"\n', run=lines, content_type="text/csv")
    feed.post(b"id,city\n,x\n2,y\n3,z\n", run=lines, sequence=1, content_type="text/csv")
    feed.work()
    mixed = Run.objects.get(number=lines)
    assert (mixed.received, mixed.done_rows, mixed.errors.get().index) == (4, 4, 1)
    done = feed.deliver(body, content_type="text/csv")
    assert (done.state, done.error, done.received) == (State.FAILED, error, received)
    assert in_force(feed) == {"14", "15"}


def test_its_settings_stay_the_same_for_all_of_its_rows(feed: Feed) -> None:
    feed.prepare(mode="overwrite")
    feed.activate()
    number = uuid.uuid4()
    feed.post(USERS[:1], run=number)
    feed.work()
    upper = Transformation(function="upper", inputs=("city",), output="loud")
    editing.set_transformations(feed.flow, (upper,))
    assert trial.test(feed.flow).passed
    with pytest.raises(DataflowFault) as fault:
        lifecycle.activate(feed.flow)
    assert fault.value.code == "running"
    feed.post([], run=number, sequence=1, final=True)
    feed.work()
    lifecycle.activate(feed.flow)
    feed.refresh()
    assert feed.flow.working_copy is None


def test_it_is_not_dropped_when_somebody_asks_for_it_meanwhile(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.prepare()
    assert trial.test(feed.flow).passed
    held = feed.post(USERS).json()["run"]
    Run.objects.filter(number=held).update(started_at=timezone.now() - timedelta(days=15))
    taken = run.lanes.intake

    def asked_for(dataflow: int) -> Any:
        monkeypatch.setattr(run.lanes, "intake", taken)
        lifecycle.run_held(feed.flow)
        return taken(dataflow)

    monkeypatch.setattr(run.lanes, "intake", asked_for)
    run.purge()
    feed.work()
    assert outcome(held)[0] == State.SUCCEEDED
