"""Values of columns: what is empty, what a column looks like, and reading a value as a type (`cdp.md` 2.4).

A typed value is JSON: a date is ``2025-01-31``, a date-time is in UTC with ``Z``, numbers have at most six
decimals, a list has texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext_noop

INTEGER = re.compile(r"^-?(0|[1-9]\d*)\Z", re.ASCII)
DECIMAL = re.compile(r"^-?(0|[1-9]\d*)(\.\d+)?\Z", re.ASCII)
DATE = re.compile(r"^\d{4}-\d{2}-\d{2}\Z", re.ASCII)
DATETIME = re.compile(
    r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?\Z", re.ASCII
)
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+\Z")
MOST_DIGITS = 18
BIGGEST = 2**63
PLACES = Decimal("0.000001")  # as many as an export sends (`cdp.md` 1.3)


class BadValue(ValueError):
    """The value is not of the type that was asked for."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How texts become values: the account's time zone, and what the parsing options say of numbers."""

    zone: tzinfo = UTC
    decimal: str = "."
    date_formats: tuple[str, ...] = field(default=())


PLAIN = Reading()


def is_empty(value: Any) -> bool:
    """0 and false are not empty."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == [] or value == {}


def infer(values: Iterable[Any], reading: Reading = PLAIN) -> tuple[str, str]:
    """Type of a column and a hint: ``no data``, ``email`` or nothing."""
    full = [value for value in values if not is_empty(value)]
    if not full:
        return "string", "no data"
    kinds = {kind_of(value, reading) for value in full}
    if len(kinds) == 1:
        (kind,) = kinds
        is_email = kind == "string" and all(isinstance(one, str) and EMAIL.match(one) for one in full)
        return kind, "email" if is_email else ""
    if kinds == {"integer", "decimal"}:
        return "decimal", ""
    if kinds == {"date", "datetime"}:
        return "datetime", ""
    return "string", ""


def kind_of(value: Any, reading: Reading = PLAIN) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if -BIGGEST <= value < BIGGEST else "string"
    if isinstance(value, float):
        return "decimal"
    if isinstance(value, str):
        return kind_of_text(value.strip(), reading)
    return "array" if isinstance(value, list) else "object"


def kind_of_text(text: str, reading: Reading) -> str:
    if text.lower() in ("true", "false"):
        return "boolean"
    number = text.replace(",", ".") if reading.decimal == "," and "." not in text else text
    if sum(map(str.isdigit, number)) <= MOST_DIGITS:
        if INTEGER.match(number):
            return "integer"
        if DECIMAL.match(number):
            return "decimal"
    for kind, read in (("date", to_date), ("datetime", to_datetime)):
        try:
            read(text, reading)
        except BadValue:
            continue
        if kind == "date" or not is_date_only(text, reading):
            return kind
    return "string"


def is_date_only(text: str, reading: Reading) -> bool:
    try:
        to_date(text, reading)
    except BadValue:
        return False
    return True


def to_string(value: Any, reading: Reading = PLAIN) -> str:  # noqa: ARG001 - all readers are called alike
    if isinstance(value, str):
        if "\0" in value:  # which PostgreSQL takes in no column
            raise BadValue(gettext_noop("a text with a NUL character"))
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    raise BadValue(gettext_noop("a list or an object is no text"))


def to_integer(value: Any, reading: Reading = PLAIN) -> int:  # noqa: ARG001 - as above
    if isinstance(value, str) and INTEGER.match(value.strip()):
        value = int(value.strip()[:40])
    if isinstance(value, int) and not isinstance(value, bool) and -BIGGEST <= value < BIGGEST:
        return value
    raise BadValue(gettext_noop("not a whole number"))


def to_decimal(value: Any, reading: Reading = PLAIN) -> int | float:
    """A number with at most six decimals; a whole one is an integer."""
    found = exact(value, reading).quantize(PLACES, ROUND_HALF_UP)
    return int(found) if found == found.to_integral_value() else float(found)


def exact(value: Any, reading: Reading = PLAIN) -> Decimal:
    """The number as it was written. Raises :class:`BadValue`, for 19 digits before the point too."""
    if isinstance(value, str):
        text = value.strip()
        text = text.replace(",", ".") if reading.decimal == "," and "." not in text else text
        if not DECIMAL.match(text):
            raise BadValue(gettext_noop("not a number"))
        number = Decimal(text)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadValue(gettext_noop("not a number"))
    else:
        number = Decimal(repr(value))
    if number.adjusted() >= MOST_DIGITS:
        raise BadValue(gettext_noop("too large a number"))
    return number


def to_boolean(value: Any, reading: Reading = PLAIN) -> bool:  # noqa: ARG001 - as above
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise BadValue(gettext_noop("neither true nor false"))


def to_date(value: Any, reading: Reading = PLAIN) -> str:
    text = text_of(value)
    if DATE.match(text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise BadValue(gettext_noop("no such day")) from None
    for pattern in reading.date_formats:
        if not has_time(pattern) and (found := parsed(text, pattern)):
            return found.date().isoformat()
    raise BadValue(gettext_noop("not a date"))


def to_datetime(value: Any, reading: Reading = PLAIN) -> str:
    """A point in time in UTC. Without an offset it is in the account's time zone, a date is its midnight."""
    text = text_of(value)
    found: datetime | None = None
    if DATE.match(text) or DATETIME.match(text):
        try:
            found = datetime.fromisoformat(text.replace(",", "."))
        except ValueError:
            raise BadValue(gettext_noop("no such time")) from None
    for pattern in reading.date_formats:
        found = found or parsed(text, pattern)
    if found is None:
        raise BadValue(gettext_noop("not a date and time"))
    if found.tzinfo is None:
        found = found.replace(tzinfo=reading.zone)
    try:
        return found.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise BadValue(gettext_noop("not a time of this calendar")) from None


def text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue(gettext_noop("not a text"))
    return value.strip()


def has_time(pattern: str) -> bool:
    return any(f"%{letter}" in pattern for letter in "HIMSfpcXzZ")


def parsed(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is added by the caller
    except (ValueError, re.error):  # a pattern may be nonsense
        return None


def to_array(value: Any, reading: Reading = PLAIN) -> list[str]:
    if not isinstance(value, list):
        raise BadValue(gettext_noop("not a list"))
    return [to_string(one, reading) for one in value if one is not None]


def to_object(value: Any, reading: Reading = PLAIN) -> Any:  # noqa: ARG001 - as above
    if not isinstance(value, dict):
        raise BadValue(gettext_noop("not an object"))
    return value


READERS: dict[str, Callable[[Any, Reading], Any]] = {
    "string": to_string,
    "integer": to_integer,
    "decimal": to_decimal,
    "boolean": to_boolean,
    "date": to_date,
    "datetime": to_datetime,
    "array": to_array,
    "object": to_object,
}


HAS_EMPTY: dict[str, type] = {"string": str, "array": list, "object": dict}


def read_as(value: Any, kind: str, reading: Reading = PLAIN) -> Any:
    """The value as one of a type; null stays, and what is empty is null unless it is empty of that very type.

    So a list without elements is no text, and nothing is wrong with it (`cdp.md` 2.4). Raises
    :class:`BadValue`.
    """
    if value is None or (is_empty(value) and not isinstance(value, HAS_EMPTY.get(kind, ()))):
        return None
    return READERS[kind](value, reading)
