"""Calm and surge: straight into the tables while they keep up, through a journal when they do not.

In the calm an event is in its table when it is answered. In a surge it is in the journal when it is answered,
which is as durable, and in its table a second or two later.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.db import connections

from config.files import InUse
from tracking.collector import sinks
from tracking.collector.journal import MOST_ROWS_MOVED, Journal
from tracking.collector.postgres_journal import PostgresJournal
from tracking.collector.rows import EdgeRow, EventRow
from tracking.collector.sinks import Sink
from tracking.collector.sqlite_journal import SqliteJournal

logger = logging.getLogger("tracking")

# Events crowd together when a commit takes longer than it takes them to come; that depends on disk and load,
# so no rate alone would tell. A lone batch of many events is no surge, and up to this rate whoever looks into
# the table finds every answered event there, at once.
SURGE_RATE = 6_000.0  # rows a second
CROWD = 24.0  # rows in a commit, on average
FEWEST_COMMITS = 3  # in a window
CALM_RATE = 3_000.0
WINDOW_SECONDS = 0.1
# Gathering makes large parts: the pages of an index are then written once for many events.
GATHER_SECONDS = 0.5
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 10.0
LONGEST_PART_SECONDS = 20.0
PATIENCE_SECONDS = 10.0  # the worker may be moving what a killed collector left
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
        self.surging = False

    @property
    def pause(self) -> float:
        return 0.0 if self.surging else self.direct.pause

    def store(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> int:
        """Like every sink; repeated events that wait in the journal are counted as new."""
        size = len(rows)
        self.meter.count(size, now=time.monotonic())
        self.surging = self._must_surge()
        if not self.surging:
            return self.direct.store(rows, edges)
        if self.mover.waiting + size > MOST_WAITING_ROWS:
            raise TooMuch
        self.journal.append(rows, edges)
        self.mover.told(size)
        return len(rows)

    def _must_surge(self) -> bool:
        if self.mover.behind:
            return True  # its long transactions would keep others waiting for the file
        return self.meter.rate >= CALM_RATE if self.surging else self.meter.is_crowded

    def close(self) -> None:
        """Move what waits, as long as that is possible; the rest stays for the next collector."""
        stopped = self.mover.close()
        self.direct.close()
        if stopped:  # else the end of the process closes it: the mover is still at work with it
            self.journal.close()


class Meter:
    """Rows a second and rows a commit, over the last full window or the one that runs, whichever has more."""

    def __init__(self) -> None:
        self._began = 0.0
        self._now = self._before = (0, 0)  # rows, commits

    def count(self, rows: int, *, now: float) -> None:
        """``rows`` are about to be committed at ``now`` (monotonic seconds)."""
        if now - self._began >= WINDOW_SECONDS:
            self._before = self._now if now - self._began < 2 * WINDOW_SECONDS else (0, 0)
            self._began, self._now = now, (0, 0)
        self._now = (self._now[0] + rows, self._now[1] + 1)

    @property
    def rate(self) -> float:
        return max(self._now, self._before)[0] / WINDOW_SECONDS

    @property
    def is_crowded(self) -> bool:
        rows, commits = max(self._now, self._before)
        return self.rate >= SURGE_RATE and commits >= FEWEST_COMMITS and rows / commits >= CROWD


class Mover:
    """A thread that moves a journal into the tables. It begins with what an earlier one left."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.waiting = 1  # rows; how many an earlier collector left is not known
        self.behind = False  # whether a full part was there to be moved
        self._healthy = True
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._deadline = 0.0
        self._move()  # before the first event comes, so that it is known whether much was left
        self._thread = threading.Thread(target=self._run, name="event-mover", daemon=True)
        self._thread.start()

    def told(self, size: int) -> None:
        """Rows were appended."""
        with self._lock:
            self.waiting += size
        self._wake.set()

    def close(self) -> bool:
        """Move what waits for at most :data:`CLOSE_SECONDS`; whether the thread has ended."""
        self._deadline = time.monotonic() + CLOSE_SECONDS
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_SECONDS + LONGEST_PART_SECONDS)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            closing = self._closing.is_set()
            moved = self._move()
            if closing:
                if not moved or time.monotonic() > self._deadline:
                    return
                continue
            if moved == 0:
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
            self.waiting = max(0, self.waiting - rows) if rows else 0
        self.behind = rows >= MOST_ROWS_MOVED
        return rows


def sink_for(port: int) -> Sink:
    """The sink of the collector on ``port``."""
    direct = sinks.sink_for()
    if isinstance(direct, sinks.PostgresSink):
        return SurgeSink(direct, PostgresJournal(events_options()))
    path = folder() / f"events-journal-{port}.sqlite3"
    try:
        return SurgeSink(direct, SqliteJournal(path, events=events_file(), patience=PATIENCE_SECONDS))
    except InUse:
        logger.warning("Another process holds the journal %s; this collector works without.", path)
    except (sqlite3.Error, OSError) as reason:
        logger.error("The journal %s cannot be used, this collector works without: %s", path, reason)
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
        with closing(PostgresJournal(events_options())) as journal:
            return sum(iter(journal.move, 0))
    return sum(move_file(path) for path in sorted(folder().glob(JOURNALS)))


def move_file(path: Path) -> int:
    """Move one journal unless its collector runs. One that is damaged must not stop the others.

    The journal is let go of after each part, so that a collector that starts need not wait for all of them.
    """
    total = 0
    try:
        while rows := move_part(SqliteJournal(path, events=events_file())):
            total += rows
    except InUse:
        pass
    except sqlite3.DatabaseError as reason:
        logger.error("The journal %s cannot be moved: %s", path, reason)
    return total


def forget_journals() -> None:
    """Throw away what waits, with the tables it waits for; for a demo that starts over."""
    for path in folder().glob("events-journal-*"):
        path.unlink(missing_ok=True)


def move_part(journal: Journal) -> int:
    with closing(journal):
        return journal.move()
