"""The lake ..."""

from __future__ import annotations

import threading
import time

import duckdb
import psycopg
import pytest
from django.conf import settings
from django.db import connections, transaction

from tests.tracking.conftest import NOW
from tracking import horizon, lake, lake_merge
from tracking.collector.sinks import postgres_options
from tracking.models import Cursor, Event

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
DAY = 86_400_000_000


@pytest.fixture(autouse=True)
def _own_lake(settings, tmp_path):
    settings.LAKE_ROOT = tmp_path / "lake"


def event(item: int = 1, **changes) -> Event:
    values = {"customer_id": "1", "event": "click", "user": "u", "item_type": 1, "item_id": str(item)}
    return Event(**(values | {"ts": NOW, "received": NOW} | changes))


def read(what: str = "item_id", customer: str = "1") -> list:
    names = [str(path) for path in lake.files(customer)]
    if not names:
        return []
    return duckdb.sql(f"SELECT {what} FROM read_parquet({names}) ORDER BY id").fetchall()  # noqa: S608


def test_holds_every_event_once():
    Event.objects.bulk_create([event(n, ts=NOW + n * DAY) for n in range(5)])
    assert lake.archive() == 5
    Event.objects.bulk_create([event(9), event(1, customer_id="a/b")])
    assert lake.archive() == 2
    assert lake.archive() == 0
    assert read() == [(str(n),) for n in (0, 1, 2, 3, 4, 9)]
    assert read(customer="a/b") == [("1",)]
    assert lake.customers() == ["1", "a/b"]
    assert lake.files("nobody") == []


def test_keeps_every_column():
    Event.objects.bulk_create(
        [
            event(quantity=2, price="4.44", currency="EUR", percentage=60, rating=5, category_path="A/B"),
            event(),
        ]
    )
    lake.archive()
    columns = (
        'event, "user", item_type, ts, quantity, price::VARCHAR, currency, percentage, rating, category_path'
    )
    assert read(columns) == [
        ("click", "u", 1, NOW, 2, "4.4400", "EUR", 60, 5, "A/B"),
        ("click", "u", 1, NOW, None, None, "", None, None, ""),
    ]


def test_reads_no_row_twice_after_a_crash_before_the_cursor_moved():
    Event.objects.bulk_create([event(1), event(2)])
    lake.archive()
    Cursor.objects.update(last_id=0)
    assert lake.archive() == 0
    assert len(read()) == 2


def test_is_built_again_when_its_folder_was_lost(tmp_path):
    import shutil

    Event.objects.bulk_create([event(1), event(2)])
    lake.archive()
    shutil.rmtree(settings.LAKE_ROOT)
    assert lake.archive() == 2
    assert len(read()) == 2


def test_is_built_again_for_another_database():
    Event.objects.bulk_create([event(n) for n in range(3)])
    lake.archive()
    Event.objects.all().delete()
    Cursor.objects.all().delete()
    event(7, id=1).save(force_insert=True)
    assert lake.archive() == 1
    assert read() == [("7",)]


def test_merges_many_parts_of_a_day(monkeypatch):
    monkeypatch.setattr(lake_merge, "MOST_PARTS_A_DAY", 3)
    for number in range(5):
        event(number).save()
        lake.archive()
    before = set(settings.LAKE_ROOT.rglob("*.parquet"))
    assert len(lake.files("1")) < len(before)
    assert read() == [(str(n),) for n in range(5)]
    monkeypatch.setattr(lake_merge, "GRACE_SECONDS", -1.0)
    lake.archive()
    assert set(settings.LAKE_ROOT.rglob("*.parquet")) == set(lake.files("1"))
    assert read() == [(str(n),) for n in range(5)]


def test_does_not_wait_for_the_work_of_other_databases(monkeypatch):
    described = connections[settings.EVENTS_DB].settings_dict
    if connections[settings.EVENTS_DB].vendor != "postgresql":
        pytest.skip("a database is a file")
    monkeypatch.setattr(horizon, "PATIENCE_SECONDS", 0.0)
    event(1).save()
    with psycopg.connect(**postgres_options({**described, "NAME": "postgres"})) as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")  # It writes, as far as the server knows.
        assert lake.archive() == 1


def test_waits_for_transactions_that_commit_out_of_order(monkeypatch):
    if connections[settings.EVENTS_DB].vendor != "postgresql":
        pytest.skip("one writer at a time: ids are committed in order")
    monkeypatch.setattr(horizon, "PATIENCE_SECONDS", 0.3)
    drawn, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic(using=settings.EVENTS_DB):
            event(1).save()
            drawn.set()
            go_on.wait(20)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    drawn.wait(20)
    event(2).save()
    assert lake.archive() == 0
    go_on.set()
    thread.join()
    deadline = time.monotonic() + 20
    while len(read()) < 2:
        assert time.monotonic() < deadline
        lake.archive()
    assert read() == [("1",), ("2",)]
