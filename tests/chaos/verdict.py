"""The ledger against what stands in tables, journals and lake, read without any code of the product."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from tests.chaos.clients import Ledger
from tests.chaos.traffic import CUSTOMER, Facts

EVENTS = """
    SELECT id, coalesce(event_id, item_id), event, item_id, coalesce(quantity, percentage, 0)
    FROM tracking_event
"""
SETTLED = """
    SELECT (SELECT coalesce(max(id), 0) FROM tracking_event)
        = (SELECT coalesce(max(last_id), 0) FROM tracking_cursor WHERE name = 'lake')
"""
LINKED = "SELECT count(DISTINCT source), count(*) FROM tracking_identityedge"
JOURNALED = "SELECT count(*) FROM tracking_journaledbatch WHERE {} refused"


@dataclass(frozen=True)
class Place:
    """Where an installation keeps its events: ``url`` of a PostgreSQL database, or files in ``folder``."""

    folder: Path
    url: str = ""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self.url:
            with psycopg.connect(self.url) as connection:
                return connection.execute(sql.encode()).fetchall()
        return of_file(self.folder / "events.sqlite3", sql)

    def journals(self) -> list[Path]:
        return sorted(self.folder.glob("events-journal-*.sqlite3"))

    def waiting(self) -> int:
        """How much stands in journals and is not moved yet: batches on PostgreSQL, events in files."""
        if self.url:
            return int(self.rows(JOURNALED.format("NOT"))[0][0])
        return sum(of_file(path, "SELECT count(*) FROM event")[0][0] for path in self.journals())

    def put_aside(self) -> int:
        if self.url:
            return int(self.rows(JOURNALED.format(""))[0][0])
        return sum(of_file(path, "SELECT count(*) FROM refused")[0][0] for path in self.journals())

    def lake_parts(self) -> list[str]:
        """The files as the manifest names them; one that it names twice would be read twice."""
        folder = self.folder / "lake" / f"customer={CUSTOMER}"
        try:
            document = json.loads((folder / "manifest.json").read_text())
        except FileNotFoundError:
            return []
        return [str(folder / name) for name in document["files"]]

    def lake(self) -> list[tuple[Any, ...]]:
        """Number, event, item and amount of each row."""
        if not (names := self.lake_parts()):
            return []
        columns = "id, event, item_id, coalesce(quantity, percentage, 0)"
        with closing(duckdb.connect()) as duck:
            return duck.execute(
                f"SELECT {columns} FROM read_parquet(?, hive_partitioning = false)", [names]
            ).fetchall()

    def is_settled(self) -> bool:
        """Nothing waits, and the lake has come as far as the table."""
        return not self.waiting() and bool(self.rows(SETTLED)[0][0])


def of_file(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, timeout=30)) as database:
        return database.execute(sql).fetchall()


def wait_until(true: Callable[[], bool], *, what: str, seconds: float = 90) -> None:
    """Errors of a database that is not back yet count as "not yet"."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
        except (sqlite3.OperationalError, psycopg.OperationalError):
            pass
        assert time.monotonic() < deadline, f"{what} took more than {seconds} s"
        time.sleep(0.1)


@dataclass
class Verdict:
    """Counts of what must not be; all are 0 for a collector that keeps its promises."""

    lost: int = 0  # acknowledged and in no table
    doubled: int = 0  # more often than once in the table
    altered: int = 0  # in the table with other facts than were sent
    unasked: int = 0  # in the table, and nobody sent it
    put_aside: int = 0  # refused by the tables, in a journal
    unlinked: int = 0  # logins whose edge is missing
    linked_twice: int = 0  # logins whose repetition made another edge
    lake_lost: int = 0  # in the table and not in the lake
    lake_doubled: int = 0
    lake_altered: int = 0
    wrong: int = 0  # answers other than success and 503 with Retry-After

    @property
    def is_clean(self) -> bool:
        return not any(getattr(self, one.name) for one in fields(self))


def judge(place: Place, ledger: Ledger) -> Verdict:
    stored = place.rows(EVENTS)
    keys = Counter(row[1] for row in stored)
    facts = {row[1]: Facts(*row[2:]) for row in stored}
    table = {row[0]: row[2:] for row in stored}
    lake = place.lake()
    in_lake = Counter(row[0] for row in lake)
    logins = sum(one.event == "login" for one in facts.values())
    [(linked, edges)] = place.rows(LINKED)  # each login of ours has a source of its own
    return Verdict(
        lost=len(ledger.acknowledged - set(keys)),
        doubled=sum(count - 1 for count in keys.values()),
        altered=sum(ledger.sent[key] != found for key, found in facts.items() if key in ledger.sent),
        unasked=len(set(keys) - set(ledger.sent)),
        put_aside=place.put_aside(),
        unlinked=logins - linked,
        linked_twice=edges - linked,
        lake_lost=len(set(table) - set(in_lake)),
        lake_doubled=sum(count - 1 for count in in_lake.values()),
        lake_altered=sum(table.get(row[0]) != row[1:] for row in lake),
        wrong=len(ledger.wrong),
    )
