"""Counts and purchases of one customer and range, read from the lake with logins applied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from personalization.server.statistics.spans import Span
from tracking import lake, queries

if TYPE_CHECKING:
    import duckdb

SECOND = 1_000_000

READ = """
CREATE TABLE event AS
SELECT event AS code, "user" AS who, item_type, item_id, ts, coalesce(quantity, 1) AS pieces,
       price AS paid, currency, scenario, model_id
FROM read_parquet(?, union_by_name = true, hive_partitioning = false) WHERE ts >= ? AND ts < ?
"""
NOTHING = """
CREATE TABLE event(code VARCHAR, who VARCHAR, item_type INTEGER, item_id VARCHAR, ts BIGINT, pieces INTEGER,
                   paid DECIMAL(18, 4), currency VARCHAR, scenario VARCHAR, model_id VARCHAR)
"""
RENAME = """
UPDATE event SET who = held.holder FROM held
WHERE event.who = held.source AND event.ts > held.after_ts AND event.ts <= held.until_ts
"""
COUNTS = """
SELECT code, ((ts - {begin}) // {slice})::INT AS slice, count(*) AS n FROM event WHERE ts >= {begin}
GROUP BY code, slice ORDER BY slice, code
"""
FOLLOWED = """
SELECT scenario, model_id, ((ts - {begin}) // {slice})::INT AS slice, count(*) AS n
FROM event WHERE code = 'clickrecommended' AND ts >= {begin} GROUP BY scenario, model_id, slice
"""
ACTIVE = """
SELECT count(DISTINCT nullif(who, '')) AS users, count(DISTINCT item_type || '/' || item_id) AS items
FROM event WHERE ts >= {begin}
"""
POPULAR = """
SELECT item_type, item_id, count(*) FILTER (WHERE code = 'click') AS clicked,
       count(*) FILTER (WHERE code = 'rendered') AS rendered,
       count(*) FILTER (WHERE code = 'clickrecommended') AS followed
FROM event WHERE ts >= {begin} AND item_id <> '' GROUP BY item_type, item_id
ORDER BY clicked DESC, followed DESC, item_type, item_id LIMIT {most}
"""
# Each purchase once, with the newest click on a recommendation of the same item by the same person before it.
PURCHASES = """
SELECT b.ts AS bought_at, ((b.ts - {begin}) // {slice})::INT AS slice, b.item_type, b.item_id, b.pieces,
       b.paid, b.currency, c.ts AS followed_at, c.scenario, c.model_id
FROM (SELECT *, row_number() OVER (ORDER BY ts, who, item_type, item_id) AS nth FROM event
      WHERE code = 'buy' AND ts >= {begin}) b
LEFT JOIN (SELECT * FROM event WHERE code = 'clickrecommended' AND who <> '') c
  ON b.who = c.who AND b.item_type = c.item_type AND b.item_id = c.item_id
     AND c.ts <= b.ts AND b.ts - c.ts <= {within}
QUALIFY row_number() OVER (PARTITION BY b.nth ORDER BY c.ts DESC) = 1
ORDER BY b.ts DESC
"""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What happened. ``counts``: by event code and number of the slice. Times are microseconds."""

    counts: dict[tuple[str, int], int]
    followed: dict[tuple[str, str, int], int]  # by scenario, model id and number of the slice
    users: int
    items: int
    popular: list[dict[str, Any]]
    purchases: list[dict[str, Any]]


def read(customer_id: str, span: Span, *, within: timedelta, most: int = 10) -> Traffic:
    """``within``: how long after a click on a recommendation a purchase counts as its doing."""
    begin = int(span.begin.timestamp() * SECOND)
    given = {
        "begin": begin,
        "slice": int(span.slice.total_seconds() * SECOND),
        "within": int(within.total_seconds() * SECOND),
        "most": most,
    }
    with opened(customer_id, span, before=given["within"]) as connection:
        counts = found(connection, COUNTS.format(**given))
        followed = found(connection, FOLLOWED.format(**given))
        [active] = found(connection, ACTIVE.format(**given))
        return Traffic(
            counts={(row["code"], row["slice"]): row["n"] for row in counts},
            followed={(row["scenario"], row["model_id"], row["slice"]): row["n"] for row in followed},
            users=active["users"],
            items=active["items"],
            popular=found(connection, POPULAR.format(**given)),
            purchases=found(connection, PURCHASES.format(**given)),
        )


@contextmanager
def opened(customer_id: str, span: Span, *, before: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """The events of the range as a table, with those that were tracked a moment ago."""
    import duckdb  # here: web processes that show no statistics never need it

    lake.archive()
    files = [str(file) for file in lake.files(customer_id)]
    begin, end = (int(one.timestamp() * SECOND) for one in (span.begin, span.end))
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        connection.execute("SET memory_limit = '1GB'")
        if files:
            connection.execute(READ, [files, begin - before, end])
        else:
            connection.execute(NOTHING)
        owned = [(one.source, one.after, one.until, one.owner) for one in queries.ownership(customer_id)]
        if owned:
            connection.execute(
                "CREATE TABLE held(source VARCHAR, after_ts BIGINT, until_ts BIGINT, holder VARCHAR)"
            )
            connection.executemany("INSERT INTO held VALUES (?, ?, ?, ?)", owned)
            connection.execute(RENAME)
        yield connection


def found(connection: duckdb.DuckDBPyConnection, select: str) -> list[dict[str, Any]]:
    cursor = connection.execute(select)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
