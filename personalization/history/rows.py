"""One row of a file -> one event, or the reason why not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, NamedTuple

from personalization.history.mapping import PASSED, needs_item
from tracking import fields
from tracking.currencies import CURRENCIES
from tracking.events import MOST_RENDERED, RULES, SPELLINGS, Shape
from tracking.fields import BadEvent

QUANTITIES = RULES["buy"].by_name["quantity"].kind.schema
PARAMETERS = {name: p for rule in RULES.values() for name, p in rule.by_name.items() if name in PASSED}
SHARES = {"percentage": RULES["consume"].by_name["percentage"], "rating": RULES["rate"].by_name["rating"]}
MOST_DIGITS = 30
PRICES_END = Decimal(10_000_000_000)
SMALLEST = Decimal("0.0001")
FREE = "0"
MOST_REMEMBERED = 16_384
# Points group thousands; a plain number has none.
COMMA = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]*)?|[+-]?,[0-9]+")

Parser = Callable[[Any], Any]


class RejectedRow(ValueError):
    """The row is not an event; the message says why, without the row's values."""


class HistoricRow(NamedTuple):
    """What a row says, checked. Prices are of one unit; ``ts`` is in microseconds since 1970, UTC."""

    user: str
    item: str
    ts: int
    quantity: int = 1
    price: str | None = None
    currency: str = ""
    category: str = ""
    percentage: int | None = None
    rating: int | None = None
    event: str = ""
    title: str = ""
    target: str = ""
    scenario: str = ""
    modelid: str = ""
    requestuuid: str = ""
    triggername: str = ""
    orderid: str = ""
    lang: str = ""
    segments: str = ""
    eventid: str = ""

    def items(self, code: str) -> tuple[str, ...]:
        """The items that an event of this kind is about. Raises :class:`RejectedRow`."""
        if not needs_item(code):
            return ()
        if RULES[code].shape is not Shape.ITEMS:
            return (required(self.item, "item"),)
        found = tuple(dict.fromkeys(part for one in self.item.split(",") if (part := one.strip())))
        if not 1 <= len(found) <= MOST_RENDERED:
            raise RejectedRow("no item" if not found else f"more than {MOST_RENDERED} items")
        return found


def text(value: Any) -> str:
    """The value as text; a whole number that a file keeps as 17850.0 is "17850"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # PostgreSQL cannot store NUL.
    return " ".join(str(value).replace("\0", " ").split())


def required(value: Any, field: str) -> str:
    found = text(value)
    if not found:
        raise RejectedRow(f"no {field}")
    return found


def user(value: Any) -> str:
    required(value, "user")
    return person(value, "user")


def person(value: Any, field: str) -> str:
    """The id as a request would carry it: each blank counts, or it would be of another person."""
    if not text(value):
        return ""
    found = value if isinstance(value, str) else text(value)
    if "\0" in found or "\\" in found:
        raise RejectedRow(f"the {field} has a backslash or a NUL byte, which no event may have")
    if len(found.encode()) > fields.LONGEST_USER_BYTES:
        raise RejectedRow(f"the {field} is longer than 1,024 bytes")
    return found


def passed(value: Any, name: str) -> str:
    """What the parameter of that name would hold; nothing is nothing."""
    found = text(value)
    if found:
        try:
            PARAMETERS[name].parse(name, found)
        except BadEvent as fault:
            raise RejectedRow(f"the {name} must be {PARAMETERS[name].rule}") from fault
    return found


def quantity(value: Any) -> int:
    number = decimal(value, "quantity")
    if number is None:
        return 1
    if number < 0:
        raise RejectedRow("a return (negative quantity)")
    if number != number.to_integral_value() or not QUANTITIES["minimum"] <= number <= QUANTITIES["maximum"]:
        raise RejectedRow(f"the quantity is not a whole number from 1 to {QUANTITIES['maximum']:,}")
    return int(number)


def price(value: Any) -> str | None:
    """The price as the intake takes it: four decimals at most, and nothing is "0"."""
    number = decimal(value, "price")
    if number is None or number == 0:
        return None if number is None else FREE
    if number < 0:
        raise RejectedRow("the price is negative")
    if number >= PRICES_END:
        raise RejectedRow("the price has more than ten digits before the point")
    exponent = number.as_tuple().exponent
    rounded = number.quantize(SMALLEST) if isinstance(exponent, int) and exponent < -4 else number
    return f"{rounded:f}" if rounded else FREE


def share(value: Any, field: str) -> int | None:
    number = decimal(value, field)
    low, high = (SHARES[field].kind.schema[end] for end in ("minimum", "maximum"))
    if number is not None and not low <= number <= high:
        raise RejectedRow(f"the {field} is not from {low} to {high}")
    return None if number is None else int(number)


def decimal(value: Any, field: str) -> Decimal | None:
    words = text(value)
    if not words:
        return None
    # Decimal() would also take 1_000 and Arabic digits.
    if not words.isascii() or "_" in words:
        raise RejectedRow(f"the {field} is not a number")
    try:
        number = Decimal(words)
    except InvalidOperation as fault:
        comma = " (it has a decimal comma, see --decimal)" if "," in words else ""
        raise RejectedRow(f"the {field} is not a number{comma}") from fault
    if not number.is_finite() or number.adjusted() > MOST_DIGITS:
        raise RejectedRow(f"the {field} is not a number")
    return number


def with_comma(value: Any, field: str) -> Any:
    """A text with a decimal comma, such as 1.234,50, with a point in its place; numbers stay."""
    if not isinstance(value, str):
        return value
    words = value.strip()
    if words and not COMMA.fullmatch(words):
        point = " (it has a decimal point, see --decimal)" if "." in words else ""
        raise RejectedRow(f"the {field} is not a number with a decimal comma{point}")
    return words.replace(".", "").replace(",", ".")


def currency(value: Any) -> str:
    found = text(value)
    if found and found not in CURRENCIES:
        raise RejectedRow("the currency is not a code of ISO 4217 such as EUR")
    return found


def category(value: Any) -> str:
    try:
        return fields.category_path("category", text(value))
    except BadEvent as fault:
        raise RejectedRow("the category is not 1,024 printable characters at most") from fault


def event(value: Any, names: Mapping[str, str]) -> str:
    """The event that a word of the file stands for; "" where it says nothing."""
    word = text(value)
    if not word:
        return ""
    code = names.get(word, word)
    rule = SPELLINGS.get(code)
    if rule is None:
        raise RejectedRow("the event is none that is known (see --event-map)")
    return rule.code


def parsers(*, moment: Parser, event_names: Mapping[str, str], comma: bool = False) -> dict[str, Parser]:
    """Field -> what reads it. User and time come first, so that a row is refused for the graver reason.

    ``comma``: whether numbers have a decimal comma.
    """
    found = plain_parsers(moment=moment, event_names=event_names)
    if comma:
        found |= {name: after_comma(name, found[name]) for name in NUMBERS}
    return found


def after_comma(field: str, parse: Parser) -> Parser:
    return lambda value: parse(with_comma(value, field))


def plain_parsers(*, moment: Parser, event_names: Mapping[str, str]) -> dict[str, Parser]:
    return {
        "user": user,
        "item": text,
        "ts": moment,
        "quantity": quantity,
        "price": price,
        "percentage": lambda value: share(value, "percentage"),
        "rating": lambda value: share(value, "rating"),
        "currency": currency,
        "category": category,
        "event": lambda value: event(value, event_names),
        "title": text,
        "target": lambda value: person(value, "target"),
    } | {name: partial(passed, name=name) for name in PASSED}


NUMBERS = ("quantity", "price", "percentage", "rating")
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
    """Checks the rows of one file, whose columns feed the fields ``names``, in their order."""

    def __init__(self, names: Sequence[str], *, parsers: Mapping[str, Parser]) -> None:
        self.columns = [
            (names.index(name), HistoricRow._fields.index(name), Column(parse))
            for name, parse in parsers.items()
            if name in names
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
