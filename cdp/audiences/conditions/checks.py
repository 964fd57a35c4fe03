"""Reading what is asked of a value: operator and operands (reference `cdp.md` 3.3, rule 8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cdp.audiences.conditions import moments
from cdp.audiences.conditions.document import Check, Scalar
from cdp.audiences.conditions.faults import shown
from cdp.audiences.conditions.pattern import BadPattern, parsed
from cdp.audiences.conditions.properties import LISTS, OPERATORS, ORDER

LONGEST, MOST_VALUES, MOST_STEPS, MOST_DAYS = 1_000, 1_000, 100_000, 365
MOST = Decimal(9 * 10**14)  # in ten-thousandths it still fits into eight bytes
NUMBER = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,4})?\Z")
NOTHING = {"is_empty", "is_not_empty", "is_true", "is_false"}
PARTS = {"contains", "not_contains", "starts_with", "ends_with"}


class Wrong(ValueError):
    """``code``, ``key``: what of the object is wrong, "" for itself; the message is a sentence."""

    def __init__(self, code: str, key: str, message: str) -> None:
        super().__init__(message)
        self.code, self.key = code, key


def bad(key: str, rule: str, value: Any) -> Wrong:
    return Wrong("bad_value", key, f"{key} must be {rule}; got {shown(value)}.")


def read(written: dict[str, Any], *, kind: str, zone: ZoneInfo) -> Check:
    """The check of a value of ``kind`` (properties.OPERATORS). Raises :class:`Wrong`."""
    op = written.get("op")
    if not isinstance(op, str) or op not in OPERATORS["any"]:
        raise Wrong("bad_operator", "op", f"op must be an operator; got {shown(op)}.")
    if op not in OPERATORS[kind]:
        raise Wrong(
            "bad_operator",
            "op",
            f"op {op} does not fit: this value takes {', '.join(sorted(OPERATORS[kind]))}.",
        )
    case = written.get("case", False)
    if not isinstance(case, bool):
        raise bad("case", "true or false", case)
    return operands(op, written, kind=kind, zone=zone, case=case)


def operands(op: str, written: dict[str, Any], *, kind: str, zone: ZoneInfo, case: bool) -> Check:
    value, value2 = written.get("value"), written.get("value2")
    if value2 is not None and op not in ("between", "in_last", "in_next"):
        raise bad("value2", f"absent with {op}", value2)
    if op in NOTHING:
        if value is not None:
            raise bad("value", f"absent with {op}", value)
        return Check(op=op)
    if op == "between":
        return between(value, value2, kind=kind, zone=zone)
    if op in ("in_last", "in_next"):
        unit = "day" if value2 is None else value2
        if unit not in moments.UNITS:
            raise bad("value2", f"one of {', '.join(moments.UNITS)}", value2)
        return Check(op=op, value=Decimal(whole("value", value, 1, MOST_STEPS)), value2=unit)
    return Check(op=op, value=reader(op, kind=kind, zone=zone, case=case)(value), case=case)


def reader(op: str, *, kind: str, zone: ZoneInfo, case: bool) -> Callable[[Any], Any]:
    """What reads the one operand of ``op``."""
    if op in LISTS:
        return lambda value: several(value, text)
    if op in ("in", "not_in"):
        return lambda value: several(value, lambda one: same(one, kind=kind))
    if op in PARTS:
        return text
    if op in ("before", "after"):
        return lambda value: moment("value", value, zone)
    if op in ORDER:
        return lambda value: ordered("value", value, kind=kind, zone=zone)
    if op == "regex":
        return lambda value: pattern(value, case=case)
    if op == "anniversary_in_next":
        return lambda value: Decimal(whole("value", value, 0, MOST_DAYS))
    return lambda value: same(value, kind=kind)


def between(value: Any, value2: Any, *, kind: str, zone: ZoneInfo) -> Check:
    first = ordered("value", value, kind=kind, zone=zone)
    last = ordered("value2", value2, kind=kind, zone=zone)
    if isinstance(first, Decimal) and isinstance(last, Decimal):
        if first > last:
            raise bad("value2", "at least as large as value", value2)
    elif isinstance(first, str) and isinstance(last, str):
        if moments.start_of(first, zone) >= moments.end_of(last, zone):
            raise bad("value2", "no earlier than value", value2)
    else:
        raise bad("value2", "of the same kind as value", value2)
    return Check(op="between", value=first, value2=last)


def whole(key: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise bad(key, f"a whole number from {least} to {most}", value)
    return value


def several(value: Any, one: Callable[[Any], Scalar]) -> tuple[Scalar, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_VALUES:
        raise bad("value", f"a list of 1 to {MOST_VALUES} values", value)
    found = [one(each) for each in value]
    return tuple({(type(each), each): each for each in found}.values())


def text(value: Any) -> str:
    fits = isinstance(value, str) and value.strip() and len(value) <= LONGEST and "\0" not in value
    if not fits or any("\ud800" <= char <= "\udfff" for char in value):
        raise bad("value", f"a text of 1 to {LONGEST} characters, not only blanks", value)
    return str(value)


def number(key: str, value: Any) -> Decimal:
    """Raises :class:`Wrong` for what is no number, too large, or finer than ten-thousandths."""
    rule = f"a number between -{MOST} and {MOST} with at most four decimals"
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise bad(key, rule, value)
    if isinstance(value, str) and not NUMBER.match(value):
        raise bad(key, rule, value)
    found = Decimal(str(value))
    if not found.is_finite() or abs(found) > MOST or found != round(found, 4):
        raise bad(key, rule, value)
    return found.normalize() + 0  # no negative zero, and 5.0 is 5


def same(value: Any, *, kind: str) -> Scalar:
    if kind == "number":
        return number("value", value)
    if isinstance(value, bool) and kind == "any":
        return value
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return number("value", value) if kind == "any" else text(str(value))
    return text(value)


def ordered(key: str, value: Any, *, kind: str, zone: ZoneInfo) -> Scalar:
    if isinstance(value, str) and kind != "number" and not NUMBER.match(value):
        return moment(key, value, zone)
    if kind == "moment":
        raise bad(key, "a date or a date-time", value)
    return number(key, value)


def moment(key: str, value: Any, zone: ZoneInfo) -> str:
    """A moment that can be reckoned with, a day more included."""
    try:
        moments.start_of(value, zone)
        moments.end_of(value, zone)
    except (TypeError, ValueError, OverflowError):
        raise bad(key, "a date or a date-time such as 2025-01-31 or 2025-01-31T09:00:00Z", value) from None
    return str(value)


def pattern(value: Any, *, case: bool) -> str:
    try:
        parsed(text(value), case=case)
    except BadPattern as fault:
        raise Wrong("bad_value", "value", f"value {fault}; got {shown(value)}.") from None
    return str(value)


def scalars(check: Check) -> Iterator[Scalar]:
    """Every operand of it."""
    for one in (check.value, check.value2):
        if one is not None:
            yield from one if isinstance(one, tuple) else (one,)
