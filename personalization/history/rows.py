"""One row of a file -> one event, or the reason why not."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache, wraps
from typing import Any, NamedTuple, TypeVar

MAX_QUANTITY = 2_147_483_647


class RejectedRow(ValueError):
    """The row is not an event; the message says why, without the row's values."""


class HistoricRow(NamedTuple):
    """What a row says, checked. Prices are of one unit."""

    user: str
    item: str
    at: datetime
    quantity: int = 1
    price: Decimal | None = None
    currency: str = ""
    category: str = ""
    percentage: int | None = None
    rating: int | None = None
    event: str = ""
    title: str = ""


T = TypeVar("T")


def remembered(parse: Callable[..., T]) -> Callable[..., T]:
    """The parser with a memory: the columns of a history repeat few values half a million times.

    By type too, since 1, 1.0 and True are equal but read differently. What has no hash is parsed each time.
    """
    known = lru_cache(maxsize=65_536, typed=True)(parse)

    @wraps(parse)
    def look_up(value: Any, *rest: str) -> T:
        try:
            return known(value, *rest)
        except TypeError:
            return parse(value, *rest)

    return look_up


@remembered
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


def moment(value: Any) -> datetime:
    """A point in time; one without a zone is UTC."""
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        try:
            found = datetime.fromisoformat(required(value, "time"))
        except ValueError as fault:
            if isinstance(fault, RejectedRow):
                raise
            raise RejectedRow("the time is not an ISO 8601 date-time") from fault
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@remembered
def quantity(value: Any) -> int:
    number = decimal(value, "quantity")
    if number is None:
        return 1
    if number < 0:
        raise RejectedRow("a return (negative quantity)")
    if number != number.to_integral_value() or not 1 <= number <= MAX_QUANTITY:
        raise RejectedRow("the quantity is not a whole number from 1")
    return int(number)


@remembered
def price(value: Any) -> Decimal | None:
    number = decimal(value, "price")
    if number is not None and number < 0:
        raise RejectedRow("the price is negative")
    return number


@remembered
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


OPTIONAL: dict[str, Callable[[Any], Any]] = {
    "quantity": quantity,
    "price": price,
    "percentage": lambda value: share(value, "percentage"),
    "rating": lambda value: share(value, "rating"),
    **dict.fromkeys(("currency", "category", "event", "title"), text),
}


def read(values: dict[str, Any]) -> HistoricRow:
    """Check the mapped values of a row. Raises :class:`RejectedRow`."""
    return HistoricRow(
        user=required(values["user"], "user"),
        item=required(values["item"], "item"),
        at=moment(values["ts"]),
        **{name: OPTIONAL[name](value) for name, value in values.items() if name in OPTIONAL},
    )
