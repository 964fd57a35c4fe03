"""One row of a file -> one event, or the reason why not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

MAX_QUANTITY = 2_147_483_647
MOST_REMEMBERED = 65_536

Parser = Callable[[Any], Any]


class RejectedRow(ValueError):
    """The row is not an event; the message says why, without the row's values."""


class HistoricRow(NamedTuple):
    """What a row says, checked. Prices are of one unit; ``ts`` is in microseconds since 1970, UTC."""

    user: str
    item: str
    ts: int
    quantity: int = 1
    price: Decimal | None = None
    currency: str = ""
    category: str = ""
    percentage: int | None = None
    rating: int | None = None
    event: str = ""
    title: str = ""


def text(value: Any) -> str:
    """The value as text; a whole number that a file keeps as 17850.0 is "17850"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())


def required(value: Any, field: str) -> str:
    found = text(value)
    if not found:
        raise RejectedRow(f"no {field}")
    return found


def moment(value: Any) -> int:
    """A point in time in microseconds since 1970; one without a zone is UTC."""
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        found = written_moment(required(value, "time"))
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000_000)


def written_moment(words: str) -> datetime:
    try:
        return datetime.fromisoformat(words)
    except ValueError as fault:
        raise RejectedRow("the time is not an ISO 8601 date-time") from fault


def quantity(value: Any) -> int:
    number = decimal(value, "quantity")
    if number is None:
        return 1
    if number < 0:
        raise RejectedRow("a return (negative quantity)")
    if number != number.to_integral_value() or not 1 <= number <= MAX_QUANTITY:
        raise RejectedRow("the quantity is not a whole number from 1")
    return int(number)


def price(value: Any) -> Decimal | None:
    number = decimal(value, "price")
    if number is not None and number < 0:
        raise RejectedRow("the price is negative")
    return number


def share(value: Any, field: str) -> int | None:
    number = decimal(value, field)
    if number is not None and not 0 <= number <= 100:
        raise RejectedRow(f"the {field} is not from 0 to 100")
    return None if number is None else int(number)


def decimal(value: Any, field: str) -> Decimal | None:
    words = text(value)
    if not words:
        return None
    try:
        number = Decimal(words)
    except InvalidOperation as fault:
        raise RejectedRow(f"the {field} is not a number") from fault
    if not number.is_finite():
        raise RejectedRow(f"the {field} is not a number")
    return number


# The first three are checked first, so that a row is refused for the graver reason.
PARSERS: dict[str, Parser] = {
    "user": lambda value: required(value, "user"),
    "item": lambda value: required(value, "item"),
    "ts": moment,
    "quantity": quantity,
    "price": price,
    "percentage": lambda value: share(value, "percentage"),
    "rating": lambda value: share(value, "rating"),
    **dict.fromkeys(("currency", "category", "event", "title"), text),
}
BLANK = HistoricRow("", "", 0)


class Column(dict[Any, Any]):
    """What the values of a column mean: few of them repeat half a million times.

    One memory for each column, since 1, 1.0 and True are equal but read differently, and a column holds
    values of one type. It is bounded, and what is refused is not kept.
    """

    def __init__(self, parse: Parser) -> None:
        super().__init__()
        self.parse = parse

    def __missing__(self, value: Any) -> Any:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        found = self[value] = self.parse(value)
        return found


class RowReader:
    """Checks the rows of one file, whose columns feed ``fields``, in their order."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.columns = [
            (fields.index(name), HistoricRow._fields.index(name), Column(parse))
            for name, parse in PARSERS.items()
            if name in fields
        ]

    def read(self, values: Sequence[Any]) -> HistoricRow:
        """The row with these values. Raises :class:`RejectedRow`."""
        row: list[Any] = [*BLANK]
        try:
            for source, target, column in self.columns:
                row[target] = column[values[source]]
        except TypeError:  # a list or a structure, which has no hash
            for source, target, column in self.columns:
                row[target] = column.parse(values[source])
        return HistoricRow._make(row)
