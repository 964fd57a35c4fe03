"""Calm and surge: straight into the tables while few events come, through a journal when many do.

In the calm an event is in its table when it is answered. Above :data:`SURGE_RATE` it is in the journal when
it is answered, which is as durable, and in its table less than a second later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import connections

from tracking.collector import sinks
from tracking.collector.journal import MOST_ROWS_MOVED, InUse, Journal
from tracking.collector.postgres_journal import PostgresJournal
from tracking.collector.rows import EdgeRow, EventRow
from tracking.collector.sinks import Sink
from tracking.collector.sqlite_journal import SqliteJournal

logger = logging.getLogger("tracking")

SURGE_RATE = 8_000.0  # rows a second; the tables alone take about twice as many
WINDOW_SECONDS = 0.1
# Gathering makes large parts: the pages of an index are then written once for many events.
GATHER_SECONDS = 0.5
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 10.0
MOST_WAITING_ROWS = 1_000_000
JOURNALS = "events-journal-*.sqlite3"


class TooMuch(Exception):
    """The journal holds more than the tables will take any time soon."""


class SurgeSink:
    """The sink of a collector."""

    def __init__(self, direct: Sink, journal: Journal) -> None:
        self.direct = direct
        self.journal = journal
        self.mover = Mover(journal)
        self.meter = Meter()

    @property
    def pause(self) -> float:
        return 0.0 if self.mover.busy else self.direct.pause

    def store(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> int:
        """Like every sink; repeated events that wait in the journal are counted as new."""
        size = len(rows) + len(edges)
        rate = self.meter.after(size, now=time.monotonic())
        if rate < SURGE_RATE and not self.mover.busy:
            return self.direct.store(rows, edges)
        if self.mover.waiting + size > MOST_WAITING_ROWS:
            raise TooMuch
        self.journal.append(rows, edges)
        self.mover.told(size)
        return len(rows)

    def close(self) -> None:
        """Move what waits, as long as that is possible; the rest stays for the next collector."""
        self.mover.close()
        self.direct.close()
        self.journal.close()


class Meter:
    """Rows a second, over the last full window or the one that runs, whichever is more."""

    def __init__(self) -> None:
        self._began = 0.0
        self._rows = 0
        self._before = 0

    def after(self, size: int, *, now: float) -> float:
        """The rate once ``size`` more rows have come at ``now`` (monotonic seconds)."""
        if now - self._began >= WINDOW_SECONDS:
            self._before = self._rows if now - self._began < 2 * WINDOW_SECONDS else 0
            self._began, self._rows = now, 0
        self._rows += size
        return max(self._before, self._rows) / WINDOW_SECONDS


class Mover:
    """A thread that moves a journal into the tables. It begins with what an earlier one left."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.busy = True
        self.waiting = 0
        self._healthy = True
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-mover", daemon=True)
        self._thread.start()

    def told(self, size: int) -> None:
        """Rows were appended."""
        with self._lock:
            self.busy = True
            self.waiting += size
        self._wake.set()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while True:
            self._wake.clear()
            moved = self._move()
            if self._closing.is_set():
                if not moved:
                    return
                continue
            if moved == 0:
                with self._lock:
                    self.busy = self._wake.is_set()
                self._wake.wait()
            if moved is None:
                self._closing.wait(RETRY_SECONDS)
            elif moved < MOST_ROWS_MOVED:
                self._closing.wait(GATHER_SECONDS)

    def _move(self) -> int | None:
        """Move one part; None when the database is in trouble."""
        try:
            rows = self.journal.move()
        except Exception as reason:  # noqa: BLE001 - what waits is safe, whatever ails the database
            if self._healthy:
                logger.error("Events wait in the journal, trying on: %s: %s", type(reason).__name__, reason)
            self._healthy = False
            return None
        if not self._healthy:
            logger.warning("The events that wait in the journal are moved again.")
        self._healthy = True
        with self._lock:
            self.waiting = max(0, self.waiting - rows)
        return rows


def sink_for(port: int) -> Sink:
    """The sink of the collector on ``port``."""
    direct = sinks.sink_for()
    if isinstance(direct, sinks.PostgresSink):
        return SurgeSink(direct, PostgresJournal(events_options()))
    try:
        path = folder() / f"events-journal-{port}.sqlite3"
        return SurgeSink(direct, SqliteJournal(path, events=events_file()))
    except InUse:
        logger.warning("Another collector holds the journal of port %s; this one works without.", port)
        return direct


def events_file() -> str:
    return str(connections[settings.EVENTS_DB].settings_dict["NAME"])


def folder() -> Path:
    return Path(events_file()).parent


def events_options() -> dict[str, object]:
    return sinks.postgres_options(connections[settings.EVENTS_DB].settings_dict)


def move_leftovers() -> int:
    """Move what collectors that are gone have left; return how many rows. The worker calls it."""
    if connections[settings.EVENTS_DB].vendor == "postgresql":
        return move_all(PostgresJournal(events_options()))
    return sum(move_file(path) for path in sorted(folder().glob(JOURNALS)))


def move_file(path: Path) -> int:
    """Move one journal unless its collector runs."""
    try:
        return move_all(SqliteJournal(path, events=events_file()))
    except InUse:
        return 0


def move_all(journal: Journal) -> int:
    total = 0
    try:
        while rows := journal.move():
            total += rows
    finally:
        journal.close()
    return total
