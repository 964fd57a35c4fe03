"""Item types that come, change and go, and rows of an item that change alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from config.jobs import queue
from config.jobs.models import Job, State
from content.items import declared, types
from content.items.types import item_type
from content.models import FolderPage, PlacePage, ProductPage, ProductVariant
from tests.content.conftest import Magazine, News, committed, stored

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(types, "_TYPES", dict(types._TYPES))


@pytest.fixture
def place(magazine: Magazine) -> PlacePage:
    with committed():
        made = magazine.place("Harbour", location="North")
    assert declared.look() == [], "the first look remembers"
    return made


def look() -> list[str]:
    with committed():
        changed = declared.look()
    with committed():
        queue.run_due()
    return changed


def test_it_rebuilds_the_items_of_a_type_whose_fields_changed(place: PlacePage, news: News) -> None:
    assert look() == []
    kind = types.item_types()["place"]
    item_type("place", id=38, fields={**(kind.fields or {}), "where": "location"})(PlacePage)
    assert look() == ["place"]
    item = stored(place)
    assert item is not None
    assert item["where"] == "North"
    assert [ref.content_id for ref in news.changed] == [place.pk]
    assert look() == [], "once"
    assert Job.objects.get().result["written"] == 1


def test_it_takes_back_the_items_of_a_type_that_is_gone(place: PlacePage, news: News) -> None:
    del types._TYPES["place"]
    look()
    assert stored(place) is None
    assert [(ref.item_type, ref.item_type_id, ref.content_id) for ref in news.removed] == [
        ("place", 38, place.pk)
    ]
    news.clear()
    look()
    assert news.removed == []


def test_it_takes_back_a_type_even_if_it_was_the_last(place: PlacePage, news: News) -> None:
    kept = types.item_types()["place"]
    types._TYPES.clear()
    look()
    assert [ref.item_type for ref in news.removed] == ["place"]
    types._TYPES["place"] = kept
    assert look() == ["place"], "a type that comes back is no first look"
    assert stored(place) is not None


def test_it_asks_once_for_a_rebuilding_that_runs_or_has_failed(place: PlacePage) -> None:
    kind = types.item_types()["place"]
    item_type("place", id=38, fields={**(kind.fields or {}), "where": "location"})(PlacePage)
    for state in (State.QUEUED, State.RUNNING, State.PARKED):
        declared.look()
        Job.objects.update(state=state, finished_at=timezone.now())
        assert Job.objects.count() == 1
    declared.look()
    assert Job.objects.count() == 1
    Job.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    declared.look()
    assert Job.objects.count() == 2, "again after a rest"


def test_it_takes_many_items_back_in_one_pass(
    place: PlacePage, magazine: Magazine, news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    with committed():
        for number in range(4):
            magazine.place(f"Place {number}")
    monkeypatch.setattr(declared, "BATCH", 2)
    news.clear()
    with committed():
        assert declared.withdraw("place") == 5
    assert len(news.removed) == 5


def test_it_finds_the_items_of_a_type_that_came(magazine: Magazine, place: PlacePage, news: News) -> None:
    item_type("folder", id=7)(FolderPage)
    assert look() == ["folder"]
    assert stored(magazine.shop) is not None
    assert {ref.item_type for ref in news.changed} == {"folder"}


def test_a_row_of_an_item_that_changes_alone_is_told(magazine: Magazine, news: News) -> None:
    with committed():
        lamp = magazine.shop.add_child(instance=ProductPage(title="Lamp", price=Decimal(10)))
        variant = ProductVariant.objects.create(page=lamp, name="Red", sku="L-R", price=Decimal(11))
    news.clear()
    with committed():
        variant.price = Decimal(12)
        variant.save()
    item = stored(lamp)
    assert item is not None
    assert item["variants"][0]["price"] == 12.0  # type: ignore[index]
    assert [ref.content_id for ref in news.changed] == [lamp.pk]
    with committed():
        variant.delete()
    assert stored(lamp)["variants"] == []  # type: ignore[index]
