"""How many users look at an item now."""

from __future__ import annotations

import time

import pytest
from django.conf import settings

from tracking import viewers
from tracking.models import Event

pytestmark = pytest.mark.django_db(databases=["default", settings.EVENTS_DB])

NOW = time.time_ns() // 1000
MINUTE = 60_000_000


def clicked(user: str, item: str = "1", *, customer: str = "1", ts: int = NOW, event: str = "click") -> Event:
    fields = {"customer_id": customer, "event": event, "user": user, "item_type": 1, "item_id": item}
    return Event(**fields, ts=ts, received=ts)


def counted(customer: str = "1", *items: str) -> list[int]:
    viewers.board.read()
    pairs = [(1, item) for item in items or ("1",)]
    found = viewers.count(customer, pairs)
    return [found.get(pair, 0) for pair in pairs]


def test_it_counts_users_and_not_clicks() -> None:
    Event.objects.bulk_create(
        [clicked("a"), clicked("a"), clicked("b"), clicked("c", ts=NOW - 120 * MINUTE)]
        + [clicked("d", event="buy"), clicked("a", "2")]
    )
    assert counted("1", "1", "2", "3") == [2, 1, 0]
    assert viewers.count("1", [(1, "3")]) == {}


def test_it_counts_each_customer_alone_however_busy_another_is() -> None:
    Event.objects.bulk_create([clicked("a"), clicked("b")])
    Event.objects.bulk_create(
        [clicked(f"u{n}", customer="2") for n in range(viewers.MOST_LOOKS + 1_000)], batch_size=5_000
    )
    assert counted("1") == [2]
    assert counted("2") == [viewers.MOST_LOOKS]


def test_it_leaves_out_nobody() -> None:
    Event.objects.bulk_create([clicked("a"), clicked(""), clicked("", "2")])
    assert counted("1", "1", "2") == [1, 0]


def test_it_bounds_the_looks_of_all_customers_at_the_cost_of_the_busiest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewers, "MOST_LOOKS_OF_ALL", 20)
    monkeypatch.setattr(viewers, "PAGE", 7)
    busy = [clicked(f"u{n}", customer=customer) for n in range(50) for customer in ("2", "3")]
    Event.objects.bulk_create([clicked("a"), clicked("b"), *busy])
    assert [counted(customer) for customer in "123"] == [[2], [9], [9]]
    assert sum(len(looks.last) for looks in viewers.board.customers.values()) == 20


@pytest.mark.parametrize(
    ("sizes", "room", "share"),
    [([], 5, 0), ([1, 2], 5, 2), ([2, 9], 5, 3), ([5, 5], 5, 2), ([1, 4, 9], 10, 5), ([1, 1, 1], 2, 0)],
)
def test_it_shares_the_room_fairly(sizes: list[int], room: int, share: int) -> None:
    assert viewers.fair_share(sizes, room) == share


def test_it_adds_what_came_since() -> None:
    Event.objects.bulk_create([clicked("a")])
    assert counted() == [1]
    Event.objects.bulk_create([clicked("a"), clicked("b")])
    assert counted() == [2]


def test_it_forgets_looks_of_an_hour_ago() -> None:
    now = time.time_ns() // 1000  # the module may have been read long ago
    Event.objects.bulk_create([clicked("a", ts=now - 50 * MINUTE), clicked("b", ts=now)])
    assert counted() == [2]
    viewers.board.forget_before(now - 30 * MINUTE)
    assert viewers.count("1", [(1, "1")]) == {(1, "1"): 1}
    viewers.board.forget_before(now + MINUTE)
    assert viewers.board.customers == {}


def test_it_begins_anew_with_a_database_that_was_restored() -> None:
    Event.objects.bulk_create([clicked("a"), clicked("b")])
    assert counted() == [2]
    Event.objects.all().delete()
    viewers.board.last_id += 1_000_000
    Event.objects.bulk_create([clicked("c")])
    assert counted() == [1]


def test_it_reads_a_table_of_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "PAGE", 7)
    Event.objects.bulk_create([clicked(f"u{n}") for n in range(50)])
    assert counted() == [50]


def test_it_keeps_no_name_of_a_user() -> None:
    Event.objects.bulk_create([clicked("c0ffee")])
    assert counted() == [1]
    assert "c0ffee" not in repr(viewers.board.customers)
