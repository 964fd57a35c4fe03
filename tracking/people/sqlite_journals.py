"""The journals of collectors on SQLite as a place. Their collectors may be running."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tracking import identity
from tracking.collector import sinks, sqlite_journal, surge
from tracking.collector.rows import OF_PERSON, EdgeRow, EventRow
from tracking.people.spans import Span

logger = logging.getLogger("tracking")

TABLES = ("event", "refused")
OF_SPAN = 'customer_id = ? AND "user" = ? AND ts > ? AND ts <= ?'
BLANK = ", ".join(f"\"{name}\" = ''" for name in OF_PERSON)
OF_RANGE = 'customer_id = ? AND "user" >= ? AND "user" < ?'
EDGES_OF_SPAN = "customer_id = ? AND ? IN (source, target) AND ts > ? AND ts <= ?"


def find(spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
    for path in journals():
        with closing(opened(path)) as journal:
            for span in spans:
                yield from found_in(journal, span)


def found_in(journal: sqlite3.Connection, span: Span) -> Iterator[dict[str, Any]]:
    for table in tables_of(journal, TABLES):
        sql = f"SELECT {sinks.EVENT_COLUMNS} FROM {table} WHERE {OF_SPAN}"  # noqa: S608 - our own names
        for row in journal.execute(sql, values_of(span)):
            yield EventRow(*row)._asdict()
    for _table in tables_of(journal, ("edge",)):
        sql = f"SELECT {sinks.EDGE_COLUMNS} FROM edge WHERE {EDGES_OF_SPAN}"  # noqa: S608 - our own names
        for row in journal.execute(sql, values_of(span)):
            yield EdgeRow(*row)._asdict()


def erase(spans: Sequence[Span], *, at: int) -> int:
    return sum(erase_in(path, spans, at=at) for path in journals())


def erase_in(path: Path, spans: Sequence[Span], *, at: int) -> int:
    with closing(opened(path)) as journal:
        journal.execute("PRAGMA secure_delete = ON")
        # A journal that holds nothing of the person is left alone: its collector is in a hurry.
        if not any(True for span in spans for _row in found_in(journal, span)):
            return 0
        journal.execute("BEGIN IMMEDIATE")
        before = journal.total_changes
        for span in spans:
            erase_span(journal, span, at=at)
        erased = journal.total_changes - before
        journal.execute("COMMIT")
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return erased


def erase_span(journal: sqlite3.Connection, span: Span, *, at: int) -> None:
    values = values_of(span)
    for table in tables_of(journal, TABLES):
        journal.execute(f"DELETE FROM {table} WHERE {OF_SPAN} AND received <= ?", (*values, at))  # noqa: S608
        journal.execute(
            f"UPDATE {table} SET {BLANK} WHERE {OF_SPAN} AND received > ? AND ts <= ?",  # noqa: S608
            (*values, at, at),
        )
    for _table in tables_of(journal, ("edge",)):
        journal.execute(f"DELETE FROM edge WHERE {EDGES_OF_SPAN} AND ts <= ?", (*values, at))  # noqa: S608
        # Others' edges move with an event of their batch, which may just have gone.
        journal.execute(
            "UPDATE edge SET event = (SELECT max(id) FROM event) WHERE event > (SELECT max(id) FROM event)"
        )


def outdated(customer_id: str) -> int:
    total = 0
    for path in journals():
        with closing(opened(path)) as journal:
            for table in tables_of(journal, TABLES):
                sql = f"SELECT count(*) FROM {table} WHERE {OF_RANGE}"  # noqa: S608 - our own names
                total += journal.execute(sql, (customer_id, *identity.outdated())).fetchone()[0]
    return total


def rekey_refused(customer_id: str) -> int:
    return sum(rekey_refused_in(path, customer_id) for path in journals())


def rekey_refused_in(path: Path, customer_id: str) -> int:
    with closing(opened(path)) as journal:
        if not tables_of(journal, ("refused",)):
            return 0
        journal.execute("PRAGMA secure_delete = ON")
        journal.create_function("newest", 2, identity.newest)
        sql = f'UPDATE refused SET "user" = newest(customer_id, "user") WHERE {OF_RANGE}'  # noqa: S608
        return journal.execute(sql, (customer_id, *identity.outdated())).rowcount


def journals() -> list[Path]:
    """The files that can be read; the worker complains of others, too."""
    return [path for path in sorted(surge.folder().glob(surge.JOURNALS)) if readable(path)]


def readable(path: Path) -> bool:
    try:
        with closing(opened(path)) as journal:
            journal.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as reason:
        logger.error("The journal %s cannot be searched: %s", path, reason)
        return False
    return True


def opened(path: Path) -> sqlite3.Connection:
    journal = sqlite3.connect(path, timeout=sinks.BUSY_SECONDS, isolation_level=None)
    try:
        sqlite_journal.complete(journal)
    except sqlite3.Error:
        journal.close()
        raise
    return journal


def tables_of(journal: sqlite3.Connection, names: Sequence[str]) -> list[str]:
    """Those of ``names`` that there are; a journal whose collector was killed early lacks some."""
    there = {name for (name,) in journal.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [name for name in names if name in there]


def values_of(span: Span) -> tuple[str, str, int, int]:
    return (span.customer_id, span.user, span.after, span.until)
