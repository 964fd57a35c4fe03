"""Values of attributes as they are stored, and their types.

Texts, numbers, booleans, ISO dates, ISO date-times in UTC with ``Z``, lists of texts; see ``cdp.md`` 2.4.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

STRING, INTEGER, DECIMAL, BOOLEAN, DATE, DATETIME, ARRAY = (
    "string",
    "integer",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "array",
)
PLACES = 6
DATE_LIKE = re.compile(r"\d{4}-\d\d-\d\d\Z")
DATETIME_LIKE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z\Z")
# What two types become where sources differ; all other pairs become texts.
WIDER = {
    frozenset({INTEGER, DECIMAL}): DECIMAL,
    frozenset({DATE, DATETIME}): DATETIME,
}


def plain(value: Any) -> Any:
    """A value as it is stored. Raises TypeError for what cannot be one."""
    if isinstance(value, str):
        return value.replace("\0", "")  # which PostgreSQL stores in no text
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        return rounded(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [str(plain(one)) for one in value]
    raise TypeError(f"An attribute cannot be a {type(value).__name__}.")


def rounded(value: float | Decimal) -> float:
    """To six decimals; a decimal number stays one, 2.0 too."""
    return round(float(value), PLACES)


def type_of(value: Any) -> str:
    """The type of a stored value."""
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return INTEGER
    if isinstance(value, float):
        return DECIMAL
    if isinstance(value, list):
        return ARRAY
    if DATE_LIKE.match(value):
        return DATE
    return DATETIME if DATETIME_LIKE.match(value) else STRING


def wider(one: str | None, other: str) -> str:
    """The type that holds values of both; None is a type that nothing was seen of."""
    if one is None or one == other:
        return other
    return WIDER.get(frozenset({one, other}), STRING)
