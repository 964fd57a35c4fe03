"""A delivery ..."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from cdp.dataflows import delivery, editing, lifecycle, payloads, run, trial
from cdp.dataflows.configuration import Transformation, load
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import CatalogRow, Payload, Run
from cdp.profiles.models import Interaction, Profile
from tests.cdp.dataflows.conftest import USERS, Feed

pytestmark = pytest.mark.django_db
State = Run.State


def counts(one: Run) -> dict[str, int]:
    names = ("received", "inserted", "updated", "unchanged", "removed", "failed", "warned")
    return {name: getattr(one, name) for name in names if getattr(one, name)}


@pytest.mark.case("D39")
def test_it_makes_people_of_rows(active: Feed) -> None:
    done = active.deliver(USERS)
    assert (done.state, counts(done)) == (State.SUCCEEDED, {"received": 2, "inserted": 2})
    assert active.facts() == {
        "14": {"id": 14, "login": "ada", "email": "ada@example.org", "city": "Oslo"},
        "15": {"id": 15, "login": "bob", "email": "bob@example.org", "city": "Bergen"},
    }


@pytest.mark.case("D27")
def test_it_lays_new_values_over_old_ones_and_keeps_people_who_are_not_in_it(active: Feed) -> None:
    active.deliver([{"id": 1, "email": "a@x.org", "city": "Oslo"}, {"id": 2, "email": "b@x.org"}])
    again = active.deliver([{"id": 1, "email": "a2@x.org"}, {"id": 3, "email": "c@x.org"}])
    assert counts(again) == {"received": 2, "inserted": 1, "updated": 1}
    assert active.facts() == {
        "1": {"id": 1, "email": "a2@x.org", "city": "Oslo"},
        "2": {"id": 2, "email": "b@x.org"},
        "3": {"id": 3, "email": "c@x.org"},
    }
    same = active.deliver([{"id": 3, "email": "c@x.org"}])
    assert counts(same) == {"received": 1, "unchanged": 1}


@pytest.mark.case("D29")
@pytest.mark.parametrize(
    ("body", "content_type", "ignore", "city"),
    [
        (b'[{"id": 1, "city": null}]', "application/json", False, None),
        (b'[{"id": 1, "city": ""}]', "application/json", False, ""),
        (b"id,city\n1,\n", "text/csv", False, None),
        (b"id,city\n1,\n", "text/csv", True, "Oslo"),
        (b"id\n1\n", "text/csv", False, "Oslo"),
    ],
)
def test_it_clears_keeps_or_empties_a_value_as_it_says(
    feed: Feed, body: bytes, content_type: str, *, ignore: bool, city: str | None
) -> None:
    rows: Any = [{"id": 1, "city": "Oslo"}] if content_type.endswith("json") else b"id,city\n1,Oslo\n"
    assert feed.post(rows, draft=True, content_type=content_type).status_code == 202
    editing.validate(feed.flow)
    editing.set_columns(feed.flow, load(feed.flow.configuration).columns, ignore_missing=ignore)
    feed.map(feed.schema())
    feed.activate()
    feed.deliver(rows, content_type=content_type)
    feed.deliver(body, content_type=content_type)
    assert feed.facts()["1"].get("city") == city


def test_it_takes_the_place_of_everything_before_when_it_overwrites(feed: Feed) -> None:
    feed.prepare(mode="overwrite")
    feed.activate()
    feed.deliver([{"id": 1, "email": "a@x.org", "city": "Oslo"}, {"id": 2, "email": "b@x.org"}])
    done = feed.deliver([{"id": 1, "email": "a2@x.org"}, {"id": 3, "email": "c@x.org"}])
    assert counts(done) == {"received": 2, "inserted": 1, "updated": 1, "removed": 1}
    assert feed.facts() == {"1": {"id": 1, "email": "a2@x.org"}, "3": {"id": 3, "email": "c@x.org"}}


@pytest.mark.case("D31")
def test_it_changes_nothing_when_it_overwrites_with_nothing(feed: Feed) -> None:
    feed.prepare(mode="overwrite")
    feed.activate()
    feed.deliver(USERS)
    empty = feed.deliver([])
    assert (empty.state, empty.error) == (State.FAILED, "empty_overwrite")
    assert set(feed.facts()) == {"14", "15"}

    configuration = load(feed.flow.configuration)
    allowed = [one.model_copy(update={"allow_empty": True}) for one in configuration.mappings]
    editing.set_mappings(feed.flow, allowed)
    feed.activate()
    assert feed.deliver([]).state == State.SUCCEEDED
    assert feed.facts() == {}


@pytest.mark.case("D33")
def test_it_is_not_swapped_in_while_a_chunk_is_missing(feed: Feed) -> None:
    feed.prepare(mode="overwrite")
    feed.activate()
    feed.deliver(USERS)
    number = uuid.uuid4()
    feed.post([{"id": 1}], run=number)
    feed.work()
    assert Profile.objects.filter(is_listed=True).count() == 2
    feed.post([{"id": 3}], run=number, sequence=2, final=True)
    feed.work()
    broken = Run.objects.get(number=number)
    assert (broken.state, broken.error) == (State.FAILED, "missing_chunks")
    assert set(feed.facts()) == {"14", "15"}
    assert not Payload.objects.filter(run=broken).exclude(sealed="").exists()


def test_it_is_not_swapped_in_when_most_of_it_is_wrong(feed: Feed) -> None:
    feed.prepare(mode="overwrite")
    feed.activate()
    feed.deliver(USERS)
    bad = feed.deliver([{"id": 1}, {"id": ""}, {"login": "nobody"}])
    assert (bad.state, bad.error, bad.failed) == (State.FAILED, "too_many_errors", 2)
    assert set(feed.facts()) == {"14", "15"}


def test_it_is_whole_only_with_its_last_chunk_and_read_in_order(active: Feed) -> None:
    number = uuid.uuid4()
    active.post([{"id": 1, "city": "first"}], run=number)
    active.post([{"id": 1, "city": "third"}], run=number, sequence=2)
    active.work()
    assert active.facts()["1"]["city"] == "first"
    active.post([{"id": 1, "city": "second"}], run=number, sequence=1)
    active.work()
    assert active.facts()["1"]["city"] == "third"
    assert Run.objects.get(number=number).state == State.RUNNING
    active.post([], run=number, sequence=3, final=True)
    active.work()
    assert Run.objects.get(number=number).state == State.SUCCEEDED


@pytest.mark.case("D41")
def test_its_bad_rows_are_named_and_kept_and_the_others_stored(feed: Feed) -> None:
    feed.prepare(mandatory=("login",))
    feed.activate()
    rows = [
        {"id": 1, "login": "a"},
        {"id": 2, "login": " "},
        {"id": 3},
        {"login": "d"},
        {"id": 5, "login": "e"},
    ]
    done = feed.deliver([*rows, *({"id": n, "login": "x"} for n in range(6, 9))])
    assert (done.state, done.failed, done.inserted) == (State.PARTIAL, 3, 5)
    errors = list(done.errors.values_list("index", "column", "code", "value"))
    assert errors == [
        (1, "login", "mandatory_empty", " …"),
        (2, "login", "mandatory_empty", ""),
        (3, "id", "identifier_missing", ""),
    ]
    assert list(payloads.refused_rows(done)) == rows[1:4]
    assert set(feed.facts()) == {"1", "5", "6", "7", "8"}


def test_its_values_of_the_wrong_type_are_left_out_with_a_warning(active: Feed) -> None:
    done = active.deliver([{"id": 1, "login": {"a": 1}, "city": "Oslo"}])
    assert (done.state, done.warned, done.failed) == (State.SUCCEEDED, 1, 0)
    assert active.facts() == {"1": {"id": 1, "city": "Oslo"}}
    assert done.errors.get().is_warning


def test_its_new_columns_are_no_error(active: Feed) -> None:
    assert active.deliver([{"id": 1, "login": "a", "shoe": 42}]).state == State.SUCCEEDED
    assert active.facts() == {"1": {"id": 1, "login": "a"}}


@pytest.mark.case("D49")
def test_people_with_everybodys_address_stay_apart(active: Feed) -> None:
    active.deliver([{"id": n, "email": "test@test.com"} for n in range(1, 201)])
    assert Profile.objects.count() == 200


def test_people_with_one_address_become_one(active: Feed) -> None:
    active.deliver([{"id": 1, "email": "Same@x.org"}, {"id": 2, "email": "same@x.org"}])
    one, two = active.person(1), active.person(2)
    assert one is not None
    assert one == two


def test_it_is_transformed_before_it_is_stored(feed: Feed) -> None:
    upper = Transformation(function="upper", inputs=("city",), output="city")
    full = Transformation(
        function="concat", inputs=("login", "city"), params={"separator": " of "}, output="full"
    )
    assert feed.post(USERS, draft=True).status_code == 202
    editing.validate(feed.flow)
    schema = feed.schema()
    from cdp.dataflows.schemas import FieldSpec, add_field

    add_field(schema, FieldSpec("full", "string"))
    feed.map(schema, transformations=(upper, full))
    feed.activate()
    feed.deliver(USERS[:1])
    assert feed.facts()["14"]["full"] == "ada of OSLO"


EVENTS = [
    {
        "id": 14,
        "event_type": "Buy",
        "timestamp": "2025-04-20T09:00:00Z",
        "event_id": "e1",
        "product_id": "A",
        "category": "c1#Cats;c11#Food",
        "subtotal": 60.1,
        "quantity": 2,
        "order_id": "O1",
        "channel": "store",
    },
    {"id": 15, "event_type": "visit", "timestamp": "2025-04-20T09:00:00+02:00", "event_id": "e2"},
]


def test_its_interactions_are_added_once(feed: Feed) -> None:
    feed.prepare(EVENTS, kind="interaction")
    feed.activate()
    first = feed.deliver(EVENTS)
    again = feed.deliver(EVENTS)
    assert (first.inserted, again.inserted, again.unchanged) == (2, 0, 2)
    bought = Interaction.objects.get(event="buy")
    assert (bought.product_id, bought.category, bought.category_path) == ("A", "c11", "/c1/c11/")
    assert (bought.subtotal, bought.quantity, bought.order_id) == (int(Decimal("60.1") * 10_000), 2, "O1")
    assert bought.props["channel"] == "store"
    assert bought.profile == feed.person(14)
    assert Interaction.objects.get(event="visit").ts == 1_745_132_400_000_000


PRODUCTS = [{"sku": "A", "name": "Tent", "price": 10}, {"sku": "B", "name": "Mug", "price": 2.5}]


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_its_catalogue_rows_follow_the_write_mode(feed: Feed, mode: str) -> None:
    feed.prepare(PRODUCTS, kind="catalog", key="sku", mode=mode)
    feed.activate()
    feed.deliver(PRODUCTS)
    done = feed.deliver([{"sku": "A", "price": 12}, {"sku": "C", "name": "Map"}])
    found = {one.key: one.data for one in CatalogRow.objects.all()}
    if mode == "append":
        assert found["A"] == {"sku": "A", "name": "Tent", "price": 12}
        assert set(found) == {"A", "B", "C"}
    else:
        assert found == {"A": {"sku": "A", "price": 12}, "C": {"sku": "C", "name": "Map"}}
        assert done.removed == 1


def test_its_catalogue_keys_are_whole_or_refused(feed: Feed) -> None:
    feed.prepare(PRODUCTS, kind="catalog", key="sku")
    feed.activate()
    done = feed.deliver([{"sku": "s" * 255 + end, "name": end} for end in ("", "a", "b")])
    assert (done.inserted, done.failed) == (1, 2)
    assert set(done.errors.values_list("code", "column")) == {("key_too_long", "sku")}
    assert [row["name"] for row in payloads.refused_rows(done) if isinstance(row, dict)] == ["a", "b"]


def test_it_is_given_up_when_it_never_ends(active: Feed) -> None:
    number = uuid.uuid4()
    active.post([{"id": 1}], run=number)
    active.work()
    Run.objects.filter(number=number).update(touched_at=timezone.now() - timedelta(minutes=61))
    run.sweep()
    assert Run.objects.get(number=number).state == State.ABANDONED
    assert set(active.facts()) == {"1"}
    assert active.post([{"id": 2}], run=number, sequence=1).status_code == 409


def test_it_makes_room_for_newer_data_while_it_is_held(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MOST_HELD_BYTES", 250)
    feed.prepare()
    numbers = [uuid.uuid4() for _ in range(3)]
    for number in numbers:
        assert feed.post(USERS[:1], run=number).status_code == 202
        assert feed.post(USERS[1:], run=number, sequence=1, final=True).status_code == 202
    states = [Run.objects.get(number=number).state for number in numbers]
    assert states == [State.CANCELLED, State.CANCELLED, State.HELD]
    assert [one.size > 100 for one in Run.objects.filter(number__in=numbers)] == [True] * 3


def test_it_is_found_by_the_sweep_when_its_job_is_lost(active: Feed) -> None:
    from config.jobs.models import Job

    answer = active.post(USERS)
    Job.objects.all().delete()
    run.sweep()
    active.work()
    assert Run.objects.get(number=answer.json()["run"]).state == State.SUCCEEDED


def test_it_is_forgotten_after_a_while(active: Feed) -> None:
    done = active.deliver(USERS)
    for _ in range(run.HISTORY_RUNS):
        Run.objects.create(
            dataflow=active.flow, kind="production", state="succeeded", ended_at=timezone.now()
        )
    Run.objects.filter(pk=done.pk).update(started_at=timezone.now() - timedelta(days=91))
    run.purge()
    assert not Run.objects.filter(pk=done.pk).exists()
    assert set(active.facts()) == {"14", "15"}


def test_its_decimals_are_kept_or_said_to_be_rounded(feed: Feed) -> None:
    fine = [one | {"price": 1.2345, "score": 0.123456} for one in EVENTS]
    events = Feed(feed.account, "Events")
    events.prepare(fine, kind="interaction")
    events.activate()
    done = events.deliver([fine[0], fine[1] | {"price": 1.23456, "subtotal": 0.1 + 0.2}])
    assert (done.inserted, done.failed, done.warned) == (2, 0, 1)
    assert list(done.errors.values_list("index", "column", "code")) == [(1, "price", "amount_rounded")]
    assert Interaction.objects.get(event="buy").props["score"] == 0.123456
    people = Feed(feed.account, "Scores")
    people.prepare([{"id": 1, "score": 0.123456}, {"id": 2, "score": "59.913868"}])
    people.activate()
    people.deliver([{"id": 1, "score": "59.913868"}, {"id": 2, "score": 1.12345678}])
    assert sorted(one["score"] for one in people.facts().values() if "score" in one) == [1.123457, 59.913868]


def test_its_interactions_that_no_row_can_hold_are_refused_alone(feed: Feed) -> None:
    feed.prepare(EVENTS, kind="interaction")
    feed.activate()
    wide = EVENTS[0] | {"event_id": "e3", "category": "c" * 300}
    dear = EVENTS[0] | {"event_id": "e4", "subtotal": 9.3e14}
    many = EVENTS[0] | {"event_id": "e5", "quantity": 2**31}
    null = EVENTS[0] | {"event_id": "e6", "channel": "a\0b"}
    # Cut, they would be one and the same.
    long = [EVENTS[0] | {"event_id": "e" * 64 + end} for end in "ab"]
    long += [EVENTS[0] | {"event_id": "e7", name: "p" * 256} for name in ("product_id", "order_id")]
    long.append(EVENTS[0] | {"event_id": "e8", "event_type": "b" * 21})
    done = feed.deliver([*EVENTS, wide, dear, many, null, *long])
    assert (done.inserted, done.unchanged, done.failed, done.warned) == (3, 0, 8, 1)
    assert set(done.errors.values_list("column", flat=True)) >= {"event_id", "order_id", "event_type"}
    assert set(done.errors.values_list("code", flat=True)) == {"bad_interaction", "type_mismatch"}


def test_it_never_holds_up_the_runs_behind_it(active: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    from cdp.dataflows import targets

    broken = active.post(USERS).json()["run"]
    with monkeypatch.context() as patch:
        patch.setattr(targets.people, "identify", None)  # what nobody foresaw: TypeError
        active.work()
    assert Run.objects.get(number=broken).error == "cannot_store"
    assert active.deliver(USERS).state == State.SUCCEEDED


def test_its_rows_of_people_who_were_erased_are_kept_nowhere(active: Feed) -> None:
    from cdp.profiles.identifiers import digest
    from cdp.profiles.models import Suppression

    Suppression.objects.create(account=active.account, kind="userid", digest=digest(123456, "userid", "14"))
    done = active.deliver(USERS)
    assert list(done.errors.values_list("code", flat=True)) == ["suppressed"]
    assert list(payloads.refused_rows(done)) == []
    assert set(active.facts()) == {"15"}


def test_its_settings_stay_while_it_is_being_processed(feed: Feed) -> None:
    feed.prepare()
    trial.test(feed.flow)
    feed.post(USERS)
    lifecycle.run_held(feed.flow)
    with pytest.raises(DataflowFault) as fault:
        editing.set_mappings(feed.flow, [])
    assert fault.value.code == "running"
    feed.work()
    assert set(feed.facts()) == {"14", "15"}


@pytest.mark.parametrize(
    ("sample", "content_type"),
    [
        (b'{"id": 1, "city": "a"}\n{"id": 2, "city": "b"}\n', "application/x-ndjson"),
        (b'{"data": [{"id": 1, "city": "a"}]}', "application/octet-stream"),
    ],
)
def test_it_may_be_an_array_whatever_the_sample_was(feed: Feed, sample: bytes, content_type: str) -> None:
    assert feed.post(sample, draft=True, content_type=content_type).status_code == 202
    editing.validate(feed.flow)
    feed.map(feed.schema())
    feed.activate()
    assert feed.deliver([{"id": 7, "city": "Oslo"}]).inserted == 1
