"""What sources say of people ..."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from cdp.profiles import contributions, vocabulary
from cdp.profiles.contributions import BadGeneration, Outcome, Said, append, begin, discard, stage, switch
from cdp.profiles.models import Account, Contribution, Profile, Source
from cdp.profiles.people import find
from tests.cdp.profiles.conftest import identity, known, named

pytestmark = pytest.mark.django_db


@pytest.fixture
def flow(account: Account) -> Source:
    return contributions.source(account, "dataflow:5:schema:3")


def said(account: Account, userid: int, **data: Any) -> Said:
    return Said(identity(account, userid=userid), data)


def shown(account: Account, userid: int) -> dict[str, Any] | None:
    profile = find(account, "userid", str(userid))
    return profile.attributes if profile else None


def overwritten(source: Source, *rows: Said) -> int:
    generation = begin(source)
    stage(source, generation, rows)
    return switch(source, generation)


def test_append_keeps_what_a_run_does_not_name(account: Account, flow: Source) -> None:
    """D27."""
    append(flow, [said(account, 1, email="a", city="Oslo"), said(account, 2, email="b")])
    outcome = append(flow, [said(account, 1, email="a2"), said(account, 3, email="c")])
    assert outcome == Outcome(inserted=1, updated=1)
    assert shown(account, 1) == {"email": "a2", "city": "Oslo"}
    assert shown(account, 2) == {"email": "b"}
    assert shown(account, 3) == {"email": "c"}
    assert append(flow, [said(account, 1, email="a2"), said(account, 2)]) == Outcome(unchanged=2)


@pytest.mark.parametrize(
    ("data", "city"),
    [({"city": None}, None), ({"city": ""}, ""), ({}, "Oslo"), ({"city": "Bergen"}, "Bergen")],
)
def test_append_clears_by_null_and_stores_an_empty_text(
    account: Account, flow: Source, data: dict[str, Any], city: str | None
) -> None:
    """D29."""
    append(flow, [said(account, 1, city="Oslo")])
    append(flow, [said(account, 1, **data)])
    assert (shown(account, 1) or {}).get("city") == city


def test_append_lays_the_later_of_two_rows_over_the_earlier(account: Account, flow: Source) -> None:
    append(flow, [said(account, 1, city="Oslo", age=3), said(account, 1, city="Bergen")])
    assert shown(account, 1) == {"city": "Bergen", "age": 3}


def test_shows_the_value_that_was_written_last(account: Account, flow: Source) -> None:
    other = contributions.source(account, "identify")
    append(flow, [said(account, 1, city="Oslo", age=3)])
    append(other, [said(account, 1, city="Bergen")])
    assert shown(account, 1) == {"city": "Bergen", "age": 3}
    assert append(flow, [said(account, 1, city="Oslo")]) == Outcome(unchanged=1)
    assert shown(account, 1) == {"city": "Oslo", "age": 3}
    append(flow, [said(account, 1, city=None)])
    assert shown(account, 1) == {"city": "Bergen", "age": 3}


def test_stores_values_as_json(account: Account, flow: Source) -> None:
    at = datetime(2025, 1, 31, 10, tzinfo=timezone(timedelta(hours=1)))
    values = {
        "born": date(2025, 1, 31),
        "seen": at,
        "exact": at.replace(microsecond=5),
        "price": Decimal("1.2345678"),
        "tags": ("a", 1),
        "text": "a\0b",
        "yes": True,
        "age": 3,
    }
    append(flow, [said(account, 1, **values)])
    assert shown(account, 1) == {
        "born": "2025-01-31",
        "seen": "2025-01-31T09:00:00Z",
        "exact": "2025-01-31T09:00:00.000005Z",
        "price": 1.234568,
        "tags": ["a", "1"],
        "text": "ab",
        "yes": True,
        "age": 3,
    }
    assert vocabulary.attributes(account) == {
        "age": "integer",
        "born": "date",
        "exact": "datetime",
        "price": "decimal",
        "seen": "datetime",
        "tags": "array",
        "text": "string",
        "yes": "boolean",
    }
    append(flow, [said(account, 1, age=Decimal("2.5"), born=at, tags="none")])
    found = vocabulary.attributes(account)
    assert (found["age"], found["born"], found["tags"]) == ("decimal", "datetime", "string")


def test_a_switch_replaces_the_whole_set_at_once(account: Account, flow: Source) -> None:
    overwritten(flow, said(account, 1, email="a", city="Oslo"), said(account, 2, email="b"))
    generation = begin(flow)
    outcome = stage(flow, generation, [said(account, 1, email="a"), said(account, 3, email="c")])
    assert outcome == Outcome(inserted=1, updated=1)
    assert (shown(account, 1), shown(account, 2)) == ({"email": "a", "city": "Oslo"}, {"email": "b"})
    assert shown(account, 3) == {}

    assert switch(flow, generation) == 1

    assert (shown(account, 1), shown(account, 2), shown(account, 3)) == ({"email": "a"}, None, {"email": "c"})
    assert set(Contribution.objects.values_list("generation", flat=True)) == {generation}
    assert switch_again_is_refused(flow, generation)


def switch_again_is_refused(source: Source, generation: int) -> bool:
    with pytest.raises(BadGeneration, match="cannot be written"):
        switch(source, generation)
    return True


def test_who_is_left_out_stays_if_another_source_names_them_or_they_did_something(
    account: Account, flow: Source
) -> None:
    from cdp.profiles.interactions import Did, record

    append(contributions.source(account, "identify"), [said(account, 1, city="Oslo")])
    overwritten(flow, *(said(account, n, email="a") for n in (1, 2, 3)))
    record(account, "dataflow:5", [Did(identity=identity(account, userid=2), event="visit", ts=1)])
    assert overwritten(flow, said(account, 4, email="d")) == 3
    assert [shown(account, n) for n in (1, 2, 3, 4)] == [{"city": "Oslo"}, {}, None, {"email": "d"}]


def test_the_last_row_of_a_set_wins_entirely(account: Account, flow: Source) -> None:
    overwritten(flow, said(account, 1, email="a", city="Oslo"), said(account, 1, email="b"))
    assert shown(account, 1) == {"email": "b"}


def test_a_set_written_again_counts_as_written_now(account: Account, flow: Source) -> None:
    other = contributions.source(account, "identify")
    overwritten(flow, said(account, 1, city="Oslo"))
    append(other, [said(account, 1, city="Bergen")])
    assert overwritten(flow, said(account, 1, city="Oslo")) == 0
    assert shown(account, 1) == {"city": "Oslo"}


def test_what_is_discarded_leaves_nothing(account: Account, flow: Source) -> None:
    overwritten(flow, said(account, 1, email="a"))
    generation = begin(flow)
    stage(flow, generation, [said(account, 1, email="z"), said(account, 2, email="b")])
    discard(flow, generation)
    assert (shown(account, 1), shown(account, 2)) == ({"email": "a"}, None)
    with pytest.raises(BadGeneration, match="is in force"):
        discard(flow, flow.generation)
    with pytest.raises(BadGeneration, match=f"Generation {generation + 1} of"):
        stage(flow, generation + 1, [])


def test_two_runs_at_once_have_generations_of_their_own(flow: Source) -> None:
    assert begin(flow) != begin(flow)


def test_follows_people_who_turn_out_to_be_one(account: Account, flow: Source) -> None:
    append(flow, [said(account, 1, city="Oslo", age=3)], at=1)
    append(flow, [said(account, 2, city="Bergen")], at=2)
    assert len(set(known(account, named(userid=1, email="x@y.no"), named(userid=2, email="x@y.no")))) == 1
    assert shown(account, 1) == shown(account, 2) == {"city": "Bergen", "age": 3}
    assert Profile.objects.count() == 1


def test_knows_the_attributes_of_rows_that_were_written_elsewhere(account: Account, flow: Source) -> None:
    at = int(datetime.now(UTC).timestamp())
    Contribution.objects.create(
        source=flow, generation=0, identity=identity(account, userid=1), data={"city": ["Oslo", at]}
    )
    assert vocabulary.attributes(account) == {"city": "string"}
    vocabulary.register(lambda _account: {"age": "integer"})
    try:
        assert vocabulary.attributes(account) == {"age": "integer", "city": "string"}
    finally:
        vocabulary._providers.pop()
