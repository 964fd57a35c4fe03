"""Many rows in one statement, the same on SQLite and PostgreSQL: they travel as one JSON text.

The ORM writes at most 999 values at once on SQLite, which makes dozens of statements of a batch of 5,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection

SOURCE = {
    "sqlite": "json_each(%s) AS listed",
    "postgresql": "json_array_elements(CAST(%s AS json)) AS listed(value)",
}
# Kind of a column -> what it is cast to; "json" is taken out as it stands.
TYPES = {
    "sqlite": {"int": "integer", "text": "text", "time": "text", "json": "text", "uuid": "text"},
    "postgresql": {"int": "bigint", "text": "text", "time": "timestamptz", "json": "jsonb", "uuid": "uuid"},
}


def given(**columns: str) -> str:
    """``WITH given AS (...)`` of rows with these columns, name -> "int", "text", "time", "uuid" or "json".

    The statement's first value is :func:`listed`.
    """
    types = TYPES[connection.vendor]
    taken = (
        f"CAST(value {'->' if kind == 'json' else '->>'} {place} AS {types[kind]}) AS {name}"
        for place, (name, kind) in enumerate(columns.items())
    )
    return f"WITH given AS (SELECT {', '.join(taken)} FROM {SOURCE[connection.vendor]})"  # noqa: S608 - ours


def listed(rows: Iterable[Sequence[Any]]) -> str:
    """The rows as the JSON text that :func:`given` reads."""
    return orjson.dumps(list(rows), option=orjson.OPT_NON_STR_KEYS).decode()


def moment(at: datetime) -> str:
    """A time as a column of kind "time" takes it."""
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    return text if connection.vendor == "sqlite" else f"{text}+00"


def fetch(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def write(sql: str, *values: Any) -> int:
    """Run a statement; return how many rows it concerned."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        if cursor.rowcount < 0:  # as SQLite's driver has it of all that begins with WITH
            cursor.execute("SELECT changes()")
            return int(cursor.fetchone()[0])
        return int(cursor.rowcount)
