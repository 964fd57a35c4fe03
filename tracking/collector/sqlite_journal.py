"""The journal of a collector on SQLite: a file of its own."""

from __future__ import annotations

import logging
import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from config.files import hold
from tracking.collector import sinks
from tracking.collector.journal import MOST_ROWS_MOVED
from tracking.collector.rows import EdgeRow, EventRow

logger = logging.getLogger("tracking")


class SqliteJournal:
    """A file beside the events file, because one file has one writer at a time.

    The cursor of what was moved stands in the events file and is committed together with the events; a row
    leaves the journal only after that. So a crash between the two moves nothing twice.
    """

    def __init__(self, path: Path, *, events: str, patience: float = 0.0) -> None:
        """``path``: the journal. ``events``: the file of the tables.

        Raises :class:`InUse` when another process holds the journal for longer than ``patience`` seconds.
        """
        self.path = path
        self.events = events
        self._lock = hold(lock_path(path), patience=patience)
        self._writing: sqlite3.Connection | None = None
        self._moving: sqlite3.Connection | None = None
        try:
            self._writing = self._open()
            self._moving = self._open_both()
            self._number_after_cursor(self._moving)
        except BaseException:
            self.close()
            raise

    def append(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> None:
        try:
            self._writing = self._writing or self._open()
            self._writing.execute("BEGIN IMMEDIATE")
            sinks.insert(self._writing, APPEND_EVENTS, rows)
            if edges:
                [(newest,)] = self._writing.execute("SELECT max(id) FROM event")
                numbers = logins(rows, first=newest - len(rows) + 1)
                for edge in edges:
                    number = numbers.get((edge.customer_id, edge.target, edge.ts), newest)
                    self._writing.execute(APPEND_EDGE, (number, *edge))
            self._writing.execute("COMMIT")
        except BaseException as reason:
            drop(self._writing)
            self._writing = None
            if isinstance(reason, sinks.SQLITE_CONTENT_ERRORS):
                raise sinks.BadRows("the database refused the event") from reason
            raise

    def move(self) -> int:
        try:
            self._moving = self._moving or self._open_both()
            return self._move_carefully(self._moving, most=MOST_ROWS_MOVED)
        except BaseException:
            drop(self._moving)
            self._moving = None
            raise

    def close(self) -> None:
        """The file stays, for the next collector to go on with; an empty one costs nothing."""
        drop(self._writing)
        drop(self._moving)
        self._lock.close()

    def _move_carefully(self, both: sqlite3.Connection, *, most: int) -> int:
        """A row that the tables refuse is found by halving."""
        try:
            return self._move(both, most=most)
        except sinks.SQLITE_CONTENT_ERRORS as reason:
            both.execute("ROLLBACK")
            if most > 1:
                return self._move_carefully(both, most=most // 2)
            logger.error("The database refused an event of the journal: %s", reason)
            return self._move(both, most=1, refuse=True)

    def _move(self, both: sqlite3.Connection, *, most: int, refuse: bool = False) -> int:
        [(newest,)] = both.execute("SELECT max(id) FROM journal.event")
        if newest is None:
            return 0
        # BEGIN IMMEDIATE would lock the journal as well, and with it every append.
        both.execute("BEGIN")
        both.execute(BEGINNING, (self._name,))
        [(done,)] = both.execute(DONE, (self._name,))
        upto = min(max(newest, done), done + most)
        if upto > done:
            [(before,)] = both.execute(sinks.NEWEST)
            both.execute(REFUSE_EVENTS if refuse else MOVE_EVENTS, (done, upto))
            both.execute(MOVE_EDGES, (done, upto, before))
            both.execute(ADVANCE, (upto, self._name))
        both.execute("COMMIT")
        both.execute("DELETE FROM journal.edge WHERE event <= ?", (upto,))
        both.execute("DELETE FROM journal.event WHERE id <= ?", (upto,))
        return int(upto - done)

    def _number_after_cursor(self, both: sqlite3.Connection) -> None:
        """A journal from an older backup would give numbers again that were moved, and new rows be lost."""
        if not both.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'tracking_cursor'").fetchone():
            return  # nothing was ever moved
        [(done,)] = both.execute(DONE, (self._name,))
        both.execute("BEGIN")
        both.execute("DELETE FROM journal.sqlite_sequence WHERE name = 'event' AND seq < ?", (done,))
        both.execute(NUMBER_AFTER, (done, done))
        both.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        # At 30,000 events a second this checkpoint comes every second.
        connection = sinks.durable(str(self.path), checkpoint_pages=4_000)
        connection.executescript(TABLES)
        complete(connection)
        name = f"journal-{uuid.uuid4().hex[:16]}"
        connection.execute("INSERT OR IGNORE INTO identity VALUES (1, ?)", (name,))
        return connection

    def _open_both(self) -> sqlite3.Connection:
        connection = sinks.durable(self.events, checkpoint_pages=20_000)
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("ATTACH DATABASE ? AS journal", (str(self.path),))
        # A removal that a power cut undoes is made again: the cursor says what was moved.
        connection.execute("PRAGMA journal.synchronous=NORMAL")
        [(self._name,)] = connection.execute("SELECT name FROM journal.identity")
        return connection


# Without types and indexes: the tables they are moved to have both.
TABLES = f"""
    CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY AUTOINCREMENT, {sinks.EVENT_COLUMNS});
    CREATE TABLE IF NOT EXISTS edge (event INTEGER NOT NULL, {sinks.EDGE_COLUMNS});
    CREATE TABLE IF NOT EXISTS refused (id INTEGER PRIMARY KEY, {sinks.EVENT_COLUMNS});
    CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
"""
APPEND_EVENTS = f"INSERT INTO event ({sinks.EVENT_COLUMNS}) VALUES"
APPEND_EDGE = "INSERT INTO edge VALUES (?, ?, ?, ?, ?)"
REFUSE_EVENTS = "INSERT OR IGNORE INTO journal.refused SELECT * FROM journal.event WHERE id > ? AND id <= ?"
BEGINNING = "INSERT OR IGNORE INTO tracking_cursor (name, last_id, updated_at) VALUES (?, 0, datetime())"
NUMBER_AFTER = """
    INSERT INTO journal.sqlite_sequence (name, seq) SELECT 'event', ?
    WHERE ? > 0 AND NOT EXISTS (SELECT 1 FROM journal.sqlite_sequence WHERE name = 'event')
"""
DONE = "SELECT coalesce(max(last_id), 0) FROM tracking_cursor WHERE name = ?"
ADVANCE = "UPDATE tracking_cursor SET last_id = ?, updated_at = datetime() WHERE name = ?"
MOVE_EVENTS = f"""
    INSERT INTO main.tracking_event ({sinks.EVENT_COLUMNS})
    SELECT {sinks.EVENT_COLUMNS} FROM journal.event WHERE id > ? AND id <= ? ORDER BY id {sinks.SKIP_REPEATED}
"""  # noqa: S608 - names of our own tuples
MOVE_EDGES = f"""
    INSERT INTO main.tracking_identityedge ({sinks.EDGE_COLUMNS})
    SELECT {sinks.EDGE_COLUMNS} FROM journal.edge AS e WHERE event > ? AND event <= ? AND EXISTS (
        SELECT 1 FROM main.tracking_event AS login
        WHERE login.customer_id = e.customer_id AND login."user" = e.target AND login.ts = e.ts
        AND login.event = 'login' AND login.id > ?
    ) {sinks.SKIP_SAME_EDGE}
"""  # noqa: S608 - names of our own tuples


def logins(rows: Sequence[EventRow], *, first: int) -> dict[tuple[str, str, int], int]:
    """The numbers of logins by what their edges know of them; both are moved together."""
    return {
        (row.customer_id, row.user, row.ts): number
        for number, row in enumerate(rows, first)
        if row.event == "login"
    }


def complete(connection: sqlite3.Connection) -> None:
    """Give a journal from an older release the columns that it lacks; they stand at the end of a row."""
    for table in ("event", "refused"):
        there = {name for (name,) in connection.execute(f"SELECT name FROM pragma_table_info('{table}')")}  # noqa: S608
        for name in EventRow._fields if there else ():
            if name not in there:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN \"{name}\" DEFAULT ''")


def drop(connection: sqlite3.Connection | None) -> None:
    """Close what may be broken; an open transaction is rolled back."""
    if connection is not None:
        with suppress(sqlite3.Error):
            connection.close()


def lock_path(journal: Path) -> Path:
    return journal.with_suffix(".lock")
