"""The order of a bought item, beside what an older release left behind ..."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from django.conf import settings
from django.db import connections

from tests.tracking.conftest import NOW
from tracking import lake
from tracking.collector import surge
from tracking.collector.intake import Accepted
from tracking.collector.rows import EventRow
from tracking.collector.sqlite_journal import SqliteJournal
from tracking.identity import pseudonym
from tracking.lake_replay import replay
from tracking.models import Event, JournaledBatch
from tracking.people import places
from tracking.people.spans import Span

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])

ME = pseudonym("1", "me")
OLDER = EventRow("1", "buy", ME, 40, "7", NOW, NOW, quantity=2, event_id="e")[:-1]  # without an order
COLUMNS = [name for name in EventRow._fields if name != "order_id"]
ON_SQLITE = pytest.mark.skipif(
    "sqlite" not in settings.DATABASES[settings.EVENTS_DB]["ENGINE"], reason="about files of SQLite"
)
ON_POSTGRESQL = pytest.mark.skipif(
    "postgresql" not in settings.DATABASES[settings.EVENTS_DB]["ENGINE"], reason="about a table of PostgreSQL"
)


@pytest.fixture(autouse=True)
def _own_lake(settings, tmp_path):  # type: ignore[no-untyped-def]
    settings.LAKE_ROOT = tmp_path / "lake"


@pytest.mark.parametrize("query", ["consent=0", "consent=1"])
def test_is_not_kept_of_somebody_who_refused(accept: Callable[..., Accepted], query: str) -> None:
    [row] = accept(f"/api/00000/buy/u/1/2?orderid=A-1&{query}").rows
    assert row.order_id == ("" if query == "consent=0" else "A-1")


def journal_of_an_older_release() -> Path:
    path = surge.folder() / "events-journal-7.sqlite3"
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    with closing(sqlite3.connect(path)) as file, file:
        for table in ("event", "refused"):
            file.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY AUTOINCREMENT, {names})")
        file.execute("CREATE TABLE edge (event, customer_id, source, target, ts)")
        file.execute("CREATE TABLE identity (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        marks = ", ".join("?" * len(COLUMNS))
        file.execute(f"INSERT INTO event ({names}) VALUES ({marks})", OLDER)  # noqa: S608 - our own names
    return path


@ON_SQLITE
def test_is_missing_in_a_journal_of_an_older_release() -> None:
    path = journal_of_an_older_release()
    [journals] = [one for one in places.places() if one.name == "journal"]
    assert [row["order_id"] for row in journals.find([Span("1", ME)])] == [""]
    with closing(SqliteJournal(path, events=surge.events_file())) as journal:
        journal.append([EventRow("1", "buy", ME, 40, "8", NOW, NOW, order_id="A-1")])
        while journal.move():
            pass
    path.unlink()
    assert list(Event.objects.order_by("item_id").values_list("item_id", "order_id")) == [
        ("7", ""),
        ("8", "A-1"),
    ]


@ON_POSTGRESQL
def test_is_missing_in_a_batch_of_an_older_release() -> None:
    JournaledBatch.objects.create(size=1, events=json.dumps([OLDER]), edges="[]")
    with closing(surge.PostgresJournal(surge.events_options())) as journal:
        while journal.move():
            pass
    assert list(Event.objects.values_list("item_id", "order_id")) == [("7", "")]


def test_is_missing_in_parts_of_an_older_release(tmp_path: Path) -> None:
    """Whoever reads, erases from and replays the lake takes them as they are."""
    Event.objects.create(**dict(zip(COLUMNS, OLDER, strict=True)))
    Event.objects.create(customer_id="1", event="buy", user="", ts=NOW, received=NOW, item_id="8")
    lake.archive()
    [part] = lake.files("1")
    whole = duckdb.read_parquet(str(part), hive_partitioning=False)
    whole.select(duckdb.StarExpression(exclude=["order_id"])).write_parquet(str(tmp_path / "older.parquet"))
    (tmp_path / "older.parquet").replace(part)
    Event.objects.all().delete()
    replay(told=lambda customer, outcome: None)
    assert list(Event.objects.order_by("item_id").values_list("item_id", "order_id")) == [
        ("7", ""),
        ("8", ""),
    ]
    [place] = [one for one in places.places() if one.name == "lake"]
    assert place.erase([Span("1", ME)], at=NOW) == 1
    [part] = lake.files("1")
    assert duckdb.read_parquet(str(part)).select("item_id").fetchall() == [("8",)]


def test_is_stored_empty_by_a_collector_of_an_older_release() -> None:
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    marks = ", ".join(["%s"] * len(COLUMNS))
    with connections[settings.EVENTS_DB].cursor() as cursor:
        cursor.execute(f"INSERT INTO tracking_event ({names}) VALUES ({marks})", OLDER)  # noqa: S608
    assert Event.objects.get().order_id == ""
