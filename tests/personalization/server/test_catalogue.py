"""The catalogue in memory follows the item store, and reads no more than what changed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from personalization.server import catalogues
from personalization.server.candidates import Allowed, newest
from personalization.server.catalogue import Catalogue
from personalization.server.items import revisions, store
from personalization.server.items.mapping import Columns
from personalization.server.models import ItemRevision, StoredItem

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

CUSTOMER = "4711"


@pytest.fixture(autouse=True)
def _always_looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(catalogues, "CHECK_SECONDS", 0.0)
    catalogues.catalogues.forget()
    yield
    catalogues.catalogues.forget()


def put(*ids: int, kind: int = 38, language: str = "eng-GB", path: str = "1/2", **when: Any) -> None:
    rows = [Columns(item_type=kind, item_id=str(one), category_paths=[path]) for one in ids]
    store.upsert(CUSTOMER, rows, language=language, moment=store.moment_now(), **when)


def remove(item: int, *, language: str = "") -> None:
    moment = store.moment_now()
    assert store.remove(CUSTOMER, item_type=38, item_id=str(item), language=language, moment=moment)


def look() -> Catalogue:
    return catalogues.catalogues.of(CUSTOMER)


def ids() -> list[str]:
    """What may be recommended now, the newest first."""
    return [one.key[1] for one in newest(look(), Allowed(now=time.time()), oldest=0)]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_shows_what_was_stored() -> None:
    put(1)
    put(2)
    assert ids() == ["2", "1"]


def test_it_reads_one_row_while_nothing_changes(django_assert_num_queries: Any) -> None:
    put(*range(30))
    assert len(look()) == 30
    with django_assert_num_queries(1) as seen:
        assert len(look()) == 30
    assert ItemRevision._meta.db_table in seen.captured_queries[0]["sql"]
    assert StoredItem._meta.db_table not in seen.captured_queries[0]["sql"]


def test_it_reads_one_row_while_there_are_no_items(django_assert_num_queries: Any) -> None:
    assert len(look()) == 0
    with django_assert_num_queries(1):
        assert len(look()) == 0


def test_it_reads_only_what_was_written_since() -> None:
    put(*range(30))
    known = look()
    put(7, 30)
    assert [row.item_id for row in revisions.since(CUSTOMER, known.revision).rows] == ["7", "30"]
    assert len(look()) == 31
    assert look() is known


def test_it_sees_a_late_batch_of_an_older_import() -> None:
    put(1)
    assert ids() == ["1"]
    put(2, now=datetime.now(UTC) - timedelta(hours=1))
    assert ids() == ["1", "2"]


def test_it_forgets_the_old_category_of_an_item_that_moved() -> None:
    put(1, path="1/2")
    before = look()
    put(1, path="1/3")
    assert look() is before

    def found(path: str) -> list[str]:
        return [one.key[1] for one in newest(look(), Allowed(below=(path,), now=time.time()), oldest=0)]

    assert (found("1/2"), found("1/3"), found("1")) == ([], ["1"], ["1"])


def test_it_sees_removals_without_reading_the_rest() -> None:
    put(*range(30))
    known = look()
    remove(7)
    changes = revisions.since(CUSTOMER, known.revision)
    assert (list(changes.rows), list(changes.gone)) == ([], [(38, "7")])
    assert look() is known
    assert "7" not in ids()
    assert len(known) == 29
    assert known.find("7") is None


def test_it_sees_what_a_complete_export_no_longer_holds() -> None:
    put(*range(1200))
    look()
    time.sleep(0.01)  # a moment is a millisecond
    moment = store.moment_now()
    put(5)
    assert store.remove_missing(CUSTOMER, item_type=38, language="eng-GB", moment=moment) == 1199
    wait_for(lambda: ids() == ["5"])


def test_it_keeps_an_item_that_lost_one_of_its_languages() -> None:
    put(1)
    put(1, language="fre-FR")
    look()
    remove(1, language="fre-FR")
    assert ids() == ["1"]
    remove(1)
    assert ids() == []


def test_it_shows_an_item_again_that_came_back() -> None:
    put(1, 2)
    look()
    remove(1)
    look()
    put(1)
    assert ids() == ["1", "2"]
    remove(2)
    put(2)
    assert ids() == ["2", "1"]


def test_it_reads_everything_after_removals_that_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "REMOVALS_REMEMBERED_MS", 0)
    put(1, 2, 3)
    look()
    remove(1)
    remove(2)  # forgets the first
    assert not revisions.since(CUSTOMER, look().revision).rows
    assert ids() == ["3"]


def test_it_follows_a_database_that_was_made_anew() -> None:
    put(1, 2, 3)
    look()
    StoredItem.objects.all().delete()
    ItemRevision.objects.all().delete()
    assert ids() == []
    put(4)
    assert ids() == ["4"]


def test_it_answers_from_before_while_many_changes_are_read() -> None:
    put(1)
    known = look()
    put(*range(2, 1500))
    with CaptureQueriesContext(connection) as here:
        look()
    assert all("LIMIT" in query["sql"] for query in here.captured_queries)
    wait_for(lambda: len(look()) == 1499)
    assert look() is known


def test_it_reads_everything_afresh_when_most_of_it_is_gone() -> None:
    put(*range(1400))
    known = look()
    time.sleep(0.01)
    store.remove_missing(CUSTOMER, item_type=38, language="eng-GB", moment=store.moment_now())
    put(1)
    wait_for(lambda: look() is not known)
    assert ids() == ["1"]


def test_it_orders_by_arrival_however_the_items_came() -> None:
    chance = random.Random(5)  # noqa: S311 - a test
    begin = datetime.now(UTC) - timedelta(days=1)
    for _ in range(40):
        chosen = chance.sample(range(60), chance.randint(1, 5))
        rows = [
            Columns(
                item_type=38, item_id=str(one), valid_from=begin + timedelta(minutes=chance.randint(0, 3))
            )
            for one in chosen
        ]
        received = begin + timedelta(minutes=chance.randint(0, 9))
        store.upsert(CUSTOMER, rows, language="eng-GB", moment=store.moment_now(), now=received)
        if chance.random() < 0.3:
            store.remove(
                CUSTOMER,
                item_type=38,
                item_id=str(chance.choice(chosen)),
                language="",
                moment=store.moment_now(),
            )
        columns = look().columns
        received_at, published = columns.added.tolist(), columns.valid_from.tolist()
        assert columns.newest.tolist() == sorted(
            range(len(received_at)), key=lambda n: (-received_at[n], -published[n], n)
        )


@pytest.mark.service
def test_it_never_misses_the_slower_of_two_writers() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's IMMEDIATE transactions take turns by themselves.")
    put(0)
    look()
    written, failed = threading.Event(), []

    def write(item: int, *, pause: float) -> None:
        try:
            with transaction.atomic():
                put(item)
                written.set()
                time.sleep(pause)
        except Exception as fault:
            failed.append(fault)
            raise
        finally:
            connections.close_all()

    slow = threading.Thread(target=write, args=(1,), kwargs={"pause": 1.0})
    quick = threading.Thread(target=write, args=(2,), kwargs={"pause": 0.0})
    slow.start()
    assert written.wait(20)
    quick.start()
    while slow.is_alive() or quick.is_alive():
        seen = ids()
        assert "1" in seen or "2" not in seen
        time.sleep(0.01)
    assert not failed
    assert ids() == ["2", "1", "0"]
