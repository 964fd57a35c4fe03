"""Where batches go: SQLite or PostgreSQL, each through a connection of its own, each durable at commit.

Only the conflict on (customer, event id, number) is skipped; any other violation is an error. `INSERT OR
IGNORE` would also swallow those.

An edge comes with a login of its target and time, and is stored only with it. A login that is repeated has a
later time: its edge would hand over what happened on the device after a logout.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain
from typing import Any, Protocol

import orjson
import psycopg
from django.conf import settings
from django.db import connections

from tracking.collector.rows import EdgeRow, EventRow

BUSY_SECONDS = 5.0
ROWS_A_STATEMENT = 32
EVENT_COLUMNS = ", ".join(f'"{name}"' for name in EventRow._fields)
EDGE_COLUMNS = ", ".join(f'"{name}"' for name in EdgeRow._fields)
SKIP_REPEATED = "ON CONFLICT (customer_id, event_id, seq) WHERE event_id IS NOT NULL DO NOTHING"
SKIP_SAME_EDGE = "ON CONFLICT (customer_id, source, target, ts) DO NOTHING"


NEWEST = "SELECT coalesce(max(id), 0) FROM tracking_event"
SQLITE_CONTENT_ERRORS = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)


class BadRows(Exception):
    """The database refused the content of a batch; the same rows will never be accepted."""


class Sink(Protocol):
    """Stores batches. Not shared by threads."""

    @property
    def pause(self) -> float:
        """Seconds after a commit in which others may write to the same file."""
        ...

    def store(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> int:
        """Commit everything in one transaction and return how many events were new.

        Edges whose login is not among the new events are left out.

        Raises :class:`BadRows` for content, any other exception for a database in trouble; after both
        nothing of the batch is stored and the next call connects afresh.
        """
        ...

    def close(self) -> None: ...


def insert(
    connection: sqlite3.Connection, head: str, rows: Sequence[tuple[Any, ...]], conflict: str = ""
) -> None:
    """Insert rows by statements of up to 32 rows.

    `executemany` gives the interpreter lock away with every row, and the event loop, when busy, keeps it for
    5 ms each time.
    """
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        chunk = rows[start : start + ROWS_A_STATEMENT]
        sql = statement(head, len(chunk[0]), len(chunk), conflict)
        connection.execute(sql, tuple(chain.from_iterable(chunk)))


@lru_cache(maxsize=128)
def statement(head: str, columns: int, rows: int, conflict: str) -> str:
    one = f"({', '.join('?' * columns)})"
    return f"{head} {', '.join([one] * rows)} {conflict}"


def durable(path: str, *, checkpoint_pages: int) -> sqlite3.Connection:
    """A connection whose commits are on disk; a checkpoint, two more syncs, comes after so many pages."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        uri=path.startswith("file:"),
        check_same_thread=False,
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages}")
    return connection


class SqliteSink:
    """WAL and synchronous=FULL: a commit returns when the log is on disk."""

    INSERT_EVENT = f"INSERT INTO tracking_event ({EVENT_COLUMNS}) VALUES"
    INSERT_EDGE = f"""
        INSERT INTO tracking_identityedge ({EDGE_COLUMNS}) SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (
            SELECT 1 FROM tracking_event WHERE customer_id = ?1 AND "user" = ?3 AND ts = ?4
            AND event = 'login' AND id > ?5
        ) {SKIP_SAME_EDGE}
    """  # noqa: S608 - names of our own tuples

    def __init__(self, path: str, *, pause: float = 0.0, bulk: bool = False) -> None:
        """``bulk``: for imports, which touch most pages of the indexes with every batch."""
        self.path = path
        self.pause = pause
        self.bulk = bulk
        self._connection: sqlite3.Connection | None = None

    def store(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> int:
        connection = self._connection or self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            newest = connection.execute(NEWEST).fetchone()[0] if edges else 0
            before = connection.total_changes
            insert(connection, self.INSERT_EVENT, rows, SKIP_REPEATED)
            stored = connection.total_changes - before
            for edge in edges:
                connection.execute(self.INSERT_EDGE, (*edge, newest))
            connection.execute("COMMIT")
        except BaseException as reason:
            self.close()
            if isinstance(reason, SQLITE_CONTENT_ERRORS):
                raise BadRows("the database refused the event") from reason
            raise
        return stored

    def close(self) -> None:
        """An open transaction is rolled back."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        connection = durable(self.path, checkpoint_pages=20_000 if self.bulk else 8_000)
        # Every event touches a leaf of four indexes. 2 MB of cache read them again for each batch, and a
        # checkpoint (two more syncs) came every dozen batches or so; a larger log also merges repeated pages.
        connection.execute("PRAGMA cache_size=-65536")
        self._connection = connection
        return connection


COLUMN_TYPES = {
    "item_type": "bigint",
    "ts": "bigint",
    "received": "bigint",
    "quantity": "bigint",
    "price": "numeric",
    "percentage": "integer",
    "rating": "integer",
    "seq": "integer",
}


def record(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}" {COLUMN_TYPES.get(name, "text")}' for name in names)


def as_records(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    return orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode()


INSERT_EVENTS = f"""
    INSERT INTO tracking_event ({EVENT_COLUMNS})
    SELECT {EVENT_COLUMNS} FROM json_to_recordset(%s::json) AS e({record(EventRow._fields)})
    {SKIP_REPEATED}
"""  # noqa: S608 - names from our own tuples
# For a statement whose part `stored` inserts events, `e` being the edges.
OF_A_NEW_LOGIN = """
    EXISTS (
        SELECT 1 FROM stored AS login
        WHERE login.customer_id = e.customer_id AND login."user" = e.target AND login.ts = e.ts
        AND login.event = 'login'
    )
"""
STORED = 'RETURNING customer_id, event, "user", ts'
INSERT_EVENTS_AND_EDGES = f"""
    WITH stored AS ({INSERT_EVENTS} {STORED}), edges AS (
        INSERT INTO tracking_identityedge ({EDGE_COLUMNS})
        SELECT {EDGE_COLUMNS} FROM json_to_recordset(%s::json) AS e({record(EdgeRow._fields)})
        WHERE {OF_A_NEW_LOGIN} {SKIP_SAME_EDGE}
    )
    SELECT count(*) FROM stored
"""  # noqa: S608 - names from our own tuples


DJANGOS_OWN = frozenset({"assume_role", "isolation_level", "pool", "server_side_binding"})
# By default a session whose server has vanished is waited for up to two hours.
NOTICE_THE_DEAD = {
    "keepalives_idle": 5,  # seconds
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,  # milliseconds
}


class PostgresConnection:
    """A connection that is opened when needed and thrown away when anything but content was wrong."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def usable(self) -> Iterator[psycopg.Connection[Any]]:
        """In autocommit: one statement is one transaction and one round trip. Raises :class:`BadRows`."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(**self.options, autocommit=True)
        try:
            yield self._connection
        except (psycopg.DataError, psycopg.IntegrityError) as reason:
            raise BadRows("the database refused the event") from reason
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


class PostgresSink:
    """One statement per batch: a JSON parameter that the database expands into rows."""

    pause = 0.0

    def __init__(self, options: dict[str, Any]) -> None:
        self._connection = PostgresConnection(options)

    def store(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> int:
        events = as_records(EventRow._fields, rows)
        with self._connection.usable() as connection:
            if not edges:
                return connection.execute(INSERT_EVENTS, (events,)).rowcount
            documents = (events, as_records(EdgeRow._fields, edges))
            found = connection.execute(INSERT_EVENTS_AND_EDGES, documents).fetchone()
            return int(found[0]) if found else 0

    def close(self) -> None:
        self._connection.close()


def sink_for(*, bulk: bool = False) -> Sink:
    """A sink for the events database of the settings."""
    described = connections[settings.EVENTS_DB].settings_dict
    if described["ENGINE"] == "django.db.backends.sqlite3":
        # Only a file that editors write to as well needs a real gap between two commits.
        pause = 0.005 if settings.EVENTS_DB == "default" else 0.0005
        return SqliteSink(str(described["NAME"]), pause=pause, bulk=bulk)
    return PostgresSink(postgres_options(described))


def session(*, statement_seconds: int) -> str:
    """A commit without waiting for the disk lost 64 acknowledged events per kill."""
    return f"-c synchronous_commit=on -c statement_timeout={statement_seconds}s"


def postgres_options(described: dict[str, Any]) -> dict[str, Any]:
    """Django's description of a PostgreSQL database as arguments of ``psycopg.connect``.

    The options of the settings go before ours, except that sessions are always durable.
    """
    given = {k: v for k, v in described.get("OPTIONS", {}).items() if k not in DJANGOS_OWN}
    options = {
        "dbname": described["NAME"],
        "user": described["USER"],
        "password": described["PASSWORD"],
        "host": described["HOST"],
        "port": described["PORT"],
        "connect_timeout": 5,
        **NOTICE_THE_DEAD,
        **given,
        "options": f"{given.get('options', '')} {session(statement_seconds=15)}".strip(),
    }
    return {name: value for name, value in options.items() if value not in ("", None)}
