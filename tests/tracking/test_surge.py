"""The sink of a collector, calm and under a surge ..."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time

import pytest
from django.conf import settings
from django.db import connections

from tests.tracking.conftest import NOW
from tracking.collector import surge
from tracking.collector.rows import EdgeRow, EventRow
from tracking.collector.sinks import SqliteSink, sink_for
from tracking.collector.sqlite_journal import SqliteJournal
from tracking.collector.surge import Meter
from tracking.models import Cursor, Event, IdentityEdge, JournaledBatch

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
ON_SQLITE = pytest.mark.skipif(
    "sqlite" not in settings.DATABASES[settings.EVENTS_DB]["ENGINE"], reason="about files of SQLite"
)
PORT = 7


def row(number: int = 1, **changes: object) -> EventRow:
    event = EventRow("1", "click", "u" * 32, 1, str(number), NOW, NOW, event_id=f"e{number}")
    return event._replace(**changes)


@pytest.fixture(autouse=True)
def _no_journal_left():
    yield
    if connections[settings.EVENTS_DB].vendor == "sqlite":
        for path in surge.folder().glob("events-journal-*"):
            path.unlink()


@pytest.fixture
def journal():
    """A journal that nobody moves but the test."""
    if connections[settings.EVENTS_DB].vendor == "postgresql":
        made = surge.PostgresJournal(surge.events_options())
    else:
        made = SqliteJournal(journal_path(), events=surge.events_file())
    yield made
    made.close()


def journal_path():
    return surge.folder() / f"events-journal-{PORT}.sqlite3"


def items() -> list[str]:
    return list(Event.objects.order_by("id").values_list("item_id", flat=True))


def wait_for(number: int) -> None:
    deadline = time.monotonic() + 20
    while Event.objects.count() < number:
        assert time.monotonic() < deadline, items()
        time.sleep(0.02)


def test_moves_rows_as_the_tables_would_have_taken_them(journal):
    rows = [
        row(1),
        row(2, event="buy", quantity=3, price="2.50", currency="EUR", order_id='Ä "1"'),
        row(3, event="rate", item_type=None, rating=0, event_id=None, seq=4),
        row(4, event="login", user="t"),
    ]
    edge = EdgeRow("1", "s", "t", NOW)
    direct = sink_for()
    direct.store(rows, [edge])
    direct.close()
    wanted = list(Event.objects.order_by("id").values_list()), list(IdentityEdge.objects.values_list())
    Event.objects.all().delete()
    IdentityEdge.objects.all().delete()
    journal.append(rows[:2])
    journal.append(rows[2:], [edge])
    assert journal.move() == 4
    assert journal.move() == 0
    found = list(Event.objects.order_by("id").values_list()), list(IdentityEdge.objects.values_list())
    assert [[r[1:] for r in part] for part in found] == [[r[1:] for r in part] for part in wanted]


def test_counts_what_waits_also_when_people_log_in(journal):
    journal.append(
        [row(n, event="login", user=f"t{n}") for n in range(9)],
        [EdgeRow("1", f"s{n}", f"t{n}", NOW) for n in range(9)],
    )
    assert journal.move() == 9
    assert IdentityEdge.objects.count() == 9


def test_moves_the_edge_of_a_repeated_login_once(journal):
    for ts in (NOW, NOW + 5):
        login = row(1, event="login", user="t", ts=ts)
        journal.append([row(2), login, row(3)], [EdgeRow("1", "s", "t", ts)])
        while journal.move():
            pass
    assert list(IdentityEdge.objects.values_list("ts", flat=True)) == [NOW]

    IdentityEdge.objects.all().delete()
    journal.append([row(1, event="login", user="t", ts=NOW)], [EdgeRow("1", "s", "t", NOW)])
    journal.move()
    assert not IdentityEdge.objects.exists()


@ON_SQLITE
def test_moves_an_edge_together_with_its_login(journal, monkeypatch):
    monkeypatch.setattr("tracking.collector.sqlite_journal.MOST_ROWS_MOVED", 1)
    journal.append([row(1, event="login", user="t"), row(2), row(3)], [EdgeRow("1", "s", "t", NOW)])
    assert journal.move() == 1
    assert IdentityEdge.objects.count() == 1
    assert [journal.move() for _ in range(3)] == [1, 1, 0]
    assert IdentityEdge.objects.count() == 1


@ON_SQLITE
def test_moves_other_journals_beside_a_damaged_one(journal):
    journal.append([row(1)])
    journal.close()
    (surge.folder() / "events-journal-1.sqlite3").write_bytes(b"no database" * 1000)
    assert surge.move_leftovers() == 1


@ON_SQLITE
def test_works_without_a_journal_that_is_damaged():
    journal_path().write_bytes(b"no database" * 1000)
    sink = surge.sink_for(PORT)
    sink.store([row(1)])
    assert items() == ["1"]
    sink.close()


@ON_SQLITE
def test_keeps_the_edge_of_a_login_beside_a_refused_event(journal):
    journal.append([row(1, event="login", user="t"), row(2, ts=None)], [EdgeRow("1", "s", "t", NOW)])
    while journal.move():
        pass
    assert items() == ["1"]
    assert IdentityEdge.objects.count() == 1


def test_is_direct_while_few_events_come():
    sink = surge.sink_for(PORT)
    for number in range(20):
        sink.store([row(number)])
        wait_until_idle(sink)
    assert items() == [str(number) for number in range(20)]
    sink.close()


def wait_until_idle(sink) -> None:
    deadline = time.monotonic() + 20
    while sink.mover.waiting:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def _surges_at_any_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that takes a tenth of a second for each commit has a surge too."""
    for name, value in (("SURGE_RATE", 100.0), ("CALM_RATE", 100.0), ("WINDOW_SECONDS", 1.0)):
        monkeypatch.setattr(surge, name, value)


@pytest.mark.usefixtures("_surges_at_any_speed")
def test_stores_a_surge_once_and_returns_to_calm():
    sink = surge.sink_for(PORT)
    wait_until_idle(sink)
    for start in range(0, 3000, 100):
        sink.store([row(number) for number in range(start, start + 100)])
    sink.store([row(5), row(2999)])  # sent again
    wait_for(3000)
    assert sink.surging
    number, deadline = 3000, time.monotonic() + 20
    while sink.surging:  # a trickle, while the rest is being moved
        assert time.monotonic() < deadline
        sink.store([row(number)])
        time.sleep(0.02)
        number += 1
    wait_for(number)
    sink.store([row(number)])
    assert Event.objects.count() == number + 1
    sink.close()


def test_moves_everything_before_it_closes():
    sink = surge.sink_for(PORT)
    wait_until_idle(sink)
    for start in range(0, 2000, 500):
        sink.store([row(number) for number in range(start, start + 500)])
    sink.close()
    assert Event.objects.count() == 2000


def test_leaves_a_journal_to_the_worker_and_moves_it_once(journal):
    journal.append([row(1, event="login", user="t", event_id=None)], [EdgeRow("1", "s", "t", NOW)])
    if connections[settings.EVENTS_DB].vendor == "sqlite":
        assert surge.move_leftovers() == 0, "the journal is still held"
    journal.close()
    assert surge.move_leftovers() >= 1
    assert surge.move_leftovers() == 0
    assert items() == ["1"]
    assert IdentityEdge.objects.count() == 1


def test_puts_aside_only_what_the_tables_refuse(journal):
    journal.append([row(1), row(2)])
    journal.append([row(3, ts=None)])
    journal.append([row(4)])
    while journal.move():
        pass
    assert sorted(items()) == ["1", "2", "4"]
    if connections[settings.EVENTS_DB].vendor == "postgresql":
        assert JournaledBatch.objects.get().refused
    else:
        with sqlite3.connect(journal_path()) as file:
            assert file.execute("SELECT item_id FROM refused").fetchall() == [("3",)]


@ON_SQLITE
def test_moves_nothing_twice_after_a_crash_before_the_removal(journal, tmp_path):
    journal.append([row(number, event_id=None) for number in range(50)])
    kept = tmp_path / "before.sqlite3"
    with sqlite3.connect(journal_path()) as file, sqlite3.connect(kept) as copy:
        file.backup(copy)
    copy.close()
    file.close()
    assert journal.move() == 50
    journal.close()
    for path in surge.folder().glob("events-journal-*"):
        path.unlink()
    shutil.copy(kept, journal_path())
    assert surge.move_leftovers() == 0
    assert len(items()) == 50
    again = SqliteJournal(journal_path(), events=surge.events_file())
    again.append([row(99, event_id=None)])
    again.move()
    again.close()
    assert len(items()) == 51


@ON_SQLITE
@pytest.mark.usefixtures("_surges_at_any_speed")
def test_accepts_a_surge_while_the_tables_are_locked():
    sink = surge.sink_for(PORT)
    wait_until_idle(sink)
    for start in range(0, 1000, 250):  # declares the surge
        sink.store([row(number) for number in range(start, start + 250)])
    assert sink.surging
    other = SqliteSink(surge.events_file())
    lock = other._connect()
    lock.execute("BEGIN IMMEDIATE")
    sink.store([row(number) for number in range(1000, 1500)])
    lock.execute("ROLLBACK")
    other.close()
    wait_for(1500)
    sink.close()


@ON_SQLITE
def test_waits_for_the_worker_to_let_go_of_its_journal(journal):
    journal.append([row(1)])
    threading.Timer(0.3, journal.close).start()
    sink = surge.sink_for(PORT)
    wait_for(1)
    sink.close()


@ON_SQLITE
def test_loses_nothing_with_a_journal_from_an_older_backup(journal, tmp_path):
    with sqlite3.connect(journal_path()) as file, sqlite3.connect(tmp_path / "empty.sqlite3") as copy:
        file.backup(copy)
    copy.close()
    file.close()
    journal.append([row(number) for number in range(50)])
    assert journal.move() == 50
    journal.close()
    for path in surge.folder().glob("events-journal-*"):
        path.unlink()
    shutil.copy(tmp_path / "empty.sqlite3", journal_path())
    restored = SqliteJournal(journal_path(), events=surge.events_file())
    restored.append([row(99)])
    assert restored.move() == 1
    restored.close()
    assert len(items()) == 51


@ON_SQLITE
def test_works_without_a_journal_that_another_collector_holds(journal, monkeypatch):
    monkeypatch.setattr(surge, "PATIENCE_SECONDS", 0.1)
    sink = surge.sink_for(PORT)
    sink.store([row(number) for number in range(2000)])
    assert Event.objects.count() == 2000
    sink.close()


@ON_SQLITE
def test_knows_a_new_journal_from_an_old_one_of_the_same_name(journal):
    journal.append([row(1)])
    journal.move()
    journal.close()
    for path in surge.folder().glob("events-journal-*"):
        path.unlink()
    new = SqliteJournal(journal_path(), events=surge.events_file())
    new.append([row(2)])
    assert new.move() == 1
    new.close()
    assert Cursor.objects.count() == 2


def test_measures_windows():
    meter = Meter()
    meter.count(50, now=100.0)
    assert meter.rate == 50 / surge.WINDOW_SECONDS
    meter.count(10, now=100.05)
    assert meter.rate == 60 / surge.WINDOW_SECONDS
    meter.count(1, now=100.11)
    assert meter.rate == 60 / surge.WINDOW_SECONDS
    meter.count(1, now=107.0)
    assert meter.rate == 1 / surge.WINDOW_SECONDS


@pytest.mark.parametrize(
    ("commits", "crowded"), [([2_000], False), ([300] * 3, True), ([20] * 60, False), ([150] * 3, False)]
)
def test_tells_a_crowd_from_a_lone_batch(commits, crowded):
    meter = Meter()
    for rows in commits:
        meter.count(rows, now=100.0)
    assert meter.is_crowded is crowded
