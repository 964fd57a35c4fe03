"""Many values as one parameter of a statement: an array on PostgreSQL, a JSON text elsewhere.

A list of five thousand placeholders costs more to write and to parse than the rows cost to find, and
SQLite takes a limited number of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson
from django.db import connection
from django.db.models.expressions import RawSQL

TYPES = {"number": "bigint", "boolean": "boolean"}


def numbers(values: Collection[int]) -> RawSQL:
    """What a field is compared with: ``filter(pk__in=numbers(keys))``."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [array(values)])  # noqa: S611
    return listed(values)


def texts(values: Collection[str]) -> RawSQL:
    """The same of texts."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::text[])", [list(values)])  # noqa: S611
    return listed(values)


def listed(values: Collection[Any]) -> RawSQL:
    return RawSQL("SELECT value FROM json_each(%s)", [orjson.dumps(list(values)).decode()])  # noqa: S611


def table(rows: Sequence[Sequence[int | None]], **columns: str) -> tuple[str, list[Any]]:
    """Rows as something to select from, called ``given``, and its parameters.

    ``columns``: the name of each column -> ``number`` or ``boolean``. A column ``place`` counts the rows
    upwards in their order.
    """
    names = ", ".join(columns)
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{TYPES[kind]}[]" for kind in columns.values())
        parts = [array(part) for part in zip(*rows, strict=True)] or ["{}"] * len(columns)
        return f"unnest({arrays}) WITH ORDINALITY AS given ({names}, place)", parts
    read = ", ".join(f"json_extract(value, '$[{number}]') AS {name}" for number, name in enumerate(columns))
    document = orjson.dumps([list(row) for row in rows]).decode()
    return f"(SELECT {read}, key AS place FROM json_each(%s)) AS given", [document]  # noqa: S608


def array(values: Iterable[int | None]) -> str:
    """As PostgreSQL writes an array; the driver takes ten times as long to write one of a list."""
    return "{" + ",".join("NULL" if one is None else str(one) for one in values) + "}"
