"""The group-commit writer ..."""

from __future__ import annotations

import threading
import time

import pytest
from django.conf import settings
from django.db import connections

from tests.tracking.conftest import NOW
from tracking.collector.rows import EdgeRow, EventRow
from tracking.collector.sinks import BadRows, SqliteSink, sink_for
from tracking.collector.writer import MOST_QUEUED_ROWS, Busy, Writer
from tracking.models import Event, IdentityEdge

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])


def row(number: int = 1, **changes: object) -> EventRow:
    return EventRow("1", "click", "u" * 32, 1, str(number), NOW, NOW)._replace(**changes)


@pytest.fixture
def writer():
    made = Writer(sink_for())
    yield made
    made.close()


def test_matches_the_columns_of_the_tables():
    for model, row_type in ((Event, EventRow), (IdentityEdge, EdgeRow)):
        assert [f.name for f in model._meta.concrete_fields if f.name != "id"] == list(row_type._fields)


def test_stores_what_many_threads_submit(writer):
    def send(start: int) -> None:
        for number in range(start, start + 50):
            writer.submit([row(number)]).result(10)

    threads = [threading.Thread(target=send, args=(i * 50 + 1,)) for i in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {e.item_id for e in Event.objects.all()} == {str(n) for n in range(1, 401)}


def test_stores_login_and_edge_together(writer):
    writer.submit([row(event="login", user="t")], [EdgeRow("1", "s", "t", NOW)]).result(10)
    assert Event.objects.count() == IdentityEdge.objects.count() == 1


def test_stores_the_edge_of_a_repeated_login_once(writer):
    for ts in (NOW, NOW + 5):
        login = row(event="login", user="t", event_id="l1", ts=ts)
        writer.submit([row(2), login], [EdgeRow("1", "s", "t", ts)]).result(10)
    assert list(IdentityEdge.objects.values_list("ts", flat=True)) == [NOW]

    IdentityEdge.objects.all().delete()
    writer.submit([row(event="login", user="t", event_id="l1")], [EdgeRow("1", "s", "t", NOW)]).result(10)
    assert not IdentityEdge.objects.exists(), "what was unlinked stays so"


def test_stores_one_edge_of_a_login_that_comes_twice_in_one_batch():
    sink = sink_for()
    logins = [row(event="login", user="t", event_id="l1", ts=ts) for ts in (NOW, NOW + 5)]
    assert sink.store(logins, [EdgeRow("1", "s", "t", one.ts) for one in logins]) == 1
    sink.close()
    assert [edge.ts for edge in IdentityEdge.objects.all()] == [Event.objects.get().ts]


def test_refuses_only_the_bad_row_of_a_batch(writer):
    good = [writer.submit([row(n)]) for n in range(5)]
    bad = writer.submit([row(9), row(10, ts=None)])
    more = [writer.submit([row(n)]) for n in range(5, 8)]
    for future in good + more:
        future.result(10)
    with pytest.raises(BadRows):
        bad.result(10)
    assert Event.objects.count() == 8


def test_refuses_work_when_too_much_waits_and_while_closing(writer):
    with pytest.raises(Busy):
        writer.submit([row()] * (MOST_QUEUED_ROWS + 1))
    last = writer.submit([row()])
    writer.close()
    last.result(0)
    with pytest.raises(Busy):
        writer.submit([row()])


class FragileSink:
    """Fails while ``broken``, like a database that is restarted."""

    pause = 0.0

    def __init__(self, inner) -> None:
        self.inner, self.broken = inner, True

    def store(self, rows, edges=()):
        if self.broken:
            raise OSError("gone")
        return self.inner.store(rows, edges)

    def close(self) -> None:
        self.inner.close()


def test_heals_when_the_database_comes_back():
    sink = FragileSink(sink_for())
    writer = Writer(sink)
    with pytest.raises(Busy):
        writer.submit([row()]).result(10)
    sink.broken = False
    writer.submit([row()]).result(10)
    writer.close()
    assert Event.objects.count() == 1


@pytest.mark.parametrize("ts", [NOW, NOW - 1], ids=["live", "past"])
def test_reconnects_after_its_connection_was_cut(writer, ts):
    writer.submit([row(1, ts=ts)]).result(10)
    if connections[settings.EVENTS_DB].vendor == "postgresql":
        with connections[settings.EVENTS_DB].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
    else:
        writer.sink._connection.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            writer.submit([row(2, ts=ts)]).result(10)
            break
        except (Busy, BadRows):
            continue
    assert Event.objects.count() == 2


def test_waits_for_another_writer_of_the_same_file(tmp_path):
    if connections[settings.EVENTS_DB].vendor != "sqlite":
        pytest.skip("PostgreSQL has no lock on the whole file")
    other = SqliteSink(str(connections[settings.EVENTS_DB].settings_dict["NAME"]))
    lock = other._connect()
    lock.execute("BEGIN IMMEDIATE")
    writer = Writer(sink_for())
    future = writer.submit([row()])
    time.sleep(0.05)
    assert not future.done()
    lock.execute("COMMIT")
    future.result(10)
    other.close()
    writer.close()
