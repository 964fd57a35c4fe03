"""The journal of collectors on PostgreSQL: a table of the events database, a row for each batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import orjson
import psycopg

from tracking.collector import sinks
from tracking.collector.journal import MOST_ROWS_MOVED
from tracking.collector.rows import EdgeRow, EventRow

logger = logging.getLogger("tracking")

MOST_BATCHES_MOVED = 2_000


def as_document(rows: Sequence[tuple[Any, ...]]) -> str:
    """Rows as a JSON list of lists; orjson takes plain tuples only."""
    return orjson.dumps([tuple(row) for row in rows]).decode()


class PostgresJournal:
    """A table of the events database. Several processes may append and move at the same time."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._writing = sinks.PostgresConnection(options)
        # Thousands of rows may take longer than a live event is given.
        patient = {"options": f"{options['options']} {sinks.session(statement_seconds=300)}"}
        self._moving = sinks.PostgresConnection(options | patient)

    def append(self, rows: Sequence[EventRow], edges: Sequence[EdgeRow] = ()) -> None:
        with self._writing.usable() as connection:
            connection.execute(APPEND, (len(rows), as_document(rows), as_document(edges)))

    def move(self) -> int:
        return self._move_carefully(most=MOST_ROWS_MOVED)

    def _move_carefully(self, *, most: int) -> int:
        """A batch with a row that the tables refuse is found by halving, and put aside whole."""
        try:
            return self._first_number(MOVE_BATCHES, most)
        except sinks.BadRows as reason:
            if most > 1:
                return self._move_carefully(most=most // 2)
            logger.error("The database refused a batch of the journal: %s", type(reason.__cause__).__name__)
            return self._refuse_first()

    def _refuse_first(self) -> int:
        """Move the first batch or, where the tables refuse it, put it aside; no other may be meant."""
        with self._moving.usable() as connection, connection.transaction():
            first = connection.execute(FIRST_BATCH).fetchone()
            if first is None:
                return 0
            try:
                with connection.transaction():
                    connection.execute(MOVE_BATCHES, (1,))
            except (psycopg.DataError, psycopg.IntegrityError):
                connection.execute(REFUSE_BATCH, (first[0],))
            return int(first[1])

    def _first_number(self, sql: str, *values: int) -> int:
        with self._moving.usable() as connection:
            found = connection.execute(sql, values).fetchone()
            return int(found[0]) if found else 0

    def close(self) -> None:
        self._writing.close()
        self._moving.close()


def from_postgres(names: Sequence[str]) -> str:
    """A list of places as columns of these names."""
    return ", ".join(f'{at(place, name)} AS "{name}"' for place, name in enumerate(names))


def at(place: int, name: str) -> str:
    """What stands at a place, in the type of its column; a batch of an older release ends before the last."""
    value = f"(e ->> {place})::{sinks.COLUMN_TYPES.get(name, 'text')}"
    return f"coalesce({value}, '')" if name == "order_id" else value


APPEND = "INSERT INTO tracking_journaledbatch (size, events, edges, refused) VALUES (%s, %s, %s, false)"
MOVE_BATCHES = f"""
    WITH part AS (
        SELECT id, size, sum(size) OVER (ORDER BY id) - size AS before
        FROM (
            SELECT id, size FROM tracking_journaledbatch WHERE NOT refused
            ORDER BY id LIMIT {MOST_BATCHES_MOVED} FOR UPDATE SKIP LOCKED
        ) AS oldest
    ), taken AS (
        DELETE FROM tracking_journaledbatch WHERE id IN (SELECT id FROM part WHERE before < %s)
        RETURNING id, size, events, edges
    ), stored AS (
        INSERT INTO tracking_event ({sinks.EVENT_COLUMNS})
        SELECT {from_postgres(EventRow._fields)}
        FROM (SELECT * FROM taken ORDER BY id) AS t, json_array_elements(t.events::json) AS e
        {sinks.SKIP_REPEATED} {sinks.STORED}
    ), moved_edges AS (
        INSERT INTO tracking_identityedge ({sinks.EDGE_COLUMNS})
        SELECT e.* FROM (
            SELECT {from_postgres(EdgeRow._fields)}
            FROM taken, json_array_elements(taken.edges::json) AS e
        ) AS e
        WHERE {sinks.OF_A_NEW_LOGIN} {sinks.SKIP_SAME_EDGE}
    )
    SELECT coalesce(sum(size), 0) FROM taken
"""  # noqa: S608 - names from our own tuples
FIRST_BATCH = """
    SELECT id, size FROM tracking_journaledbatch WHERE NOT refused ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
REFUSE_BATCH = "UPDATE tracking_journaledbatch SET refused = true WHERE id = %s"
