"""Requests per minute, their chart, and what looks wrong among the newest events."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from tests.tracking.test_debugger import FEED, NOW, boss, columns, customer, refuse, store
from tracking import debugger, pulse
from tracking.debugger import Wanted
from tracking.identity import pseudonym
from tracking.marks import Seen
from tracking.models import Event, RefusedRequest
from tracking.pulse import Minute
from tracking.screens.chart import Chart

pytestmark = pytest.mark.django_db(databases="__all__")

__all__ = ["boss", "customer", "store"]  # fixtures


def test_it_counts_by_the_minute(store: Callable[..., None]) -> None:
    for number, ago in enumerate((0, 0, 60, 29 * 60, 31 * 60)):
        store(f"click/a/38/{number + 1}", now=NOW - ago * 1_000_000)

    found = pulse.minutes(Wanted(customer_id="501"), now=NOW)

    assert len(found) == 30
    assert [found[0].stored, found[-2].stored, found[-1].stored] == [1, 1, 2]
    assert total(Wanted(customer_id="10101")) == 0


def total(wanted: Wanted) -> int:
    return sum(minute.total for minute in pulse.minutes(wanted, now=NOW))


@pytest.fixture
def _imported(store: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten events, and then an import whose ids begin far above, more than what is searched."""
    for module, name in ((debugger, "WINDOW"), (pulse, "SAMPLE")):
        monkeypatch.setattr(module, name, 30)
    for number in range(10):
        store(f"click/not_defined/38/{number + 1}")
    far_above = debugger.newest_of(Event) + 5_000
    Event.objects.create(id=far_above, **columns(Event, "38/99") | {"received": NOW})


@pytest.mark.usefixtures("_imported")
def test_it_counts_what_came_before_an_import() -> None:
    assert total(Wanted()) == 11


@pytest.mark.usefixtures("_imported")
def test_it_searches_so_many_rows_whatever_their_ids() -> None:
    assert len(debugger.news(Wanted(), seen=Seen()).lines) == 11
    newest = debugger.newest_of(Event)
    for number in range(1, 41):
        Event.objects.create(id=newest + number, **columns(Event, f"38/{number}") | {"event": "buy"})
    assert debugger.news(Wanted(event="click"), seen=Seen()).lines == []
    assert len(debugger.news(Wanted(event="buy"), seen=Seen()).lines) == 30


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 4),
        ({"outcome": "refused"}, 1),
        ({"outcome": "stored"}, 3),
        ({"event": "click"}, 2),
        ({"users": (pseudonym("501", "a"),)}, 2),
        ({"customer_id": "501", "event": "buy", "outcome": "refused"}, 0),
    ],
)
def test_its_chart_shows_what_was_asked_for(
    asked: dict[str, Any], count: int, store: Callable[..., None]
) -> None:
    for target in ("click/a/38/1", "buy/a/40/2?fullprice=2.50EUR", "click/b/38/1"):
        store(target)
    refuse("/api/501/clik/a/38/1")
    RefusedRequest.objects.update(received=NOW)
    assert total(Wanted(**asked)) == count


def test_its_chart_is_flat_where_nothing_came_in() -> None:
    begins = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    minutes = [Minute(begins, 0, 0), Minute(begins + timedelta(minutes=1), 9_000, 2)]
    busy, quiet = Chart(minutes, Wanted()), Chart(minutes[:1], Wanted())

    assert [(bar.stored, bar.refused) for bar in busy.bars()] == [(0, 0), (98, 2)]
    assert busy.summary() == "9,002 requests; the busiest minute is 12:01 UTC with 9,002"
    assert [(bar.stored, bar.refused) for bar in quiet.bars()] == [(0, 0)]
    assert quiet.summary() == "Nothing that fits came in during the last 1 minutes."


def test_it_says_the_same_in_french() -> None:
    minutes = [Minute(datetime(2026, 11, 25, 12, 0, tzinfo=UTC), 1_200, 34)]
    with translation.override("fr"):
        said = "".join(" " if char.isspace() else char for char in Chart(minutes, Wanted()).summary())
    assert said == "1 234 requêtes; la minute la plus chargée est 12:00 UTC avec 1 234"


def test_it_draws_the_chart_again_with_the_filters(boss: Client, store: Callable[..., None]) -> None:
    store("click/a/38/1", now=time.time_ns() // 1000)
    chart = {
        outcome: boss.get(FEED, {"overview": "1", "outcome": outcome}).json()["overview"]
        for outcome in ("stored", "refused")
    }
    assert "1 stored request;" in chart["stored"]
    assert "Nothing that fits" in chart["refused"]


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (
            [f"rate/u{n}/40/{n}?rating={n % 6}" for n in range(1, 30)],
            "All of the last 29 ratings are 10 or less",
        ),
        ([f"rate/u{n}/40/{n}?rating={n * 3}" for n in range(1, 30)], ""),
        (["buy/u/40/1?fullprice=456.5JPY"], "A price of 456.5 JPY has decimals"),
        (["buy/u/40/1?fullprice=456JPY"], ""),
        ([f"buy/u{n}/40/{n}" for n in range(1, 30)], "None of the last 29 purchases has a price"),
        (
            [f"click/not_defined/40/{n}" for n in range(1, 30)],
            "100 % of the last 29 events are linked to nobody",
        ),
        ([f"click/0/40/{n}" for n in range(1, 30)], "One user sent 100 % of the last 29 events"),
        ([f"click/u{n}/40/{n}" for n in range(1, 30)], ""),
        (["click/u/40/1", "rendered/u/40/1,1,1"], "names an item more than once"),
        (["click/u/40/1", "rendered/u/40/3,5,3"], "names an item more than once"),
        (["click/u/40/1", "rendered/u/40/3,5,7"], ""),
    ],
)
def test_it_suspects_what_is_hardly_meant(targets: list[str], said: str, store: Callable[..., None]) -> None:
    for target in targets:
        store(target)
    found = list(pulse.suspicions("501"))
    assert (said in found[0]) if said else not found
