"""Two processes that materialise the same item take turns; needs a database that lets both in."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import pytest
from django.db import connection, connections

from content.items.materialise import materialise
from content.items.pages import WagtailPageSource
from content.items.record import Item
from content.items.sources import SourceItem
from content.models import PlacePage
from tests.content.conftest import Magazine, stored

pytestmark = [pytest.mark.service, pytest.mark.django_db(transaction=True)]


class SlowSource(WagtailPageSource):
    """Reads, and then lets others go first for half a second."""

    def __init__(self) -> None:
        self.has_read, self.may_go_on = threading.Event(), threading.Event()

    def fetch(self, keys: Collection[str]) -> Sequence[SourceItem]:
        found = super().fetch(keys)
        self.has_read.set()
        self.may_go_on.wait(0.5)
        return found


def test_it_ends_with_the_last_change_when_two_write_at_once(
    transactional_db: None, magazine: Magazine
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's IMMEDIATE transactions take turns by themselves.")
    place = magazine.place("Old")
    Item.objects.all().delete()  # so that the slow one has something to write
    slow = SlowSource()

    def write_old() -> None:
        materialise(slow, [str(place.translation_key)])
        connections.close_all()

    thread = threading.Thread(target=write_old)
    thread.start()
    assert slow.has_read.wait(20)
    PlacePage.objects.filter(pk=place.pk).update(title="New")
    materialise(WagtailPageSource(), [str(place.translation_key)])
    slow.may_go_on.set()
    thread.join()
    assert stored(place)["name"] == "New"
