"""A check of a value as a condition that is true or false, never NULL (reference `cdp.md` 3.3, rule 8)."""

# ruff: noqa: S608 - what comes from people is a parameter
from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from decimal import Decimal

from cdp.audiences.compile.values import NOTHING, Asking, Value
from cdp.audiences.conditions import moments
from cdp.audiences.conditions.checks import NUMBER
from cdp.audiences.conditions.document import Check, Scalar
from cdp.audiences.conditions.pattern import folded
from cdp.profiles.models import UNITS

COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
NEVER = "FALSE"
Range = tuple[int | None, int | None]  # microseconds: from the first on, until before the second


def condition(asking: Asking, check: Check, value: Value) -> str:
    """Whether the positive operator of the check holds; a negative one is its exact opposite."""
    return f"COALESCE({positive(asking, check, value)}, FALSE)"


def positive(asking: Asking, check: Check, value: Value) -> str:
    op, operand = check.positive, check.value
    match op:
        case "is_not_empty":
            return value.exists
        case "is_true" | "is_false":
            return f"{value.truth} = {'TRUE' if op == 'is_true' else 'FALSE'}"
        case "eq" | "in":
            return same(asking, check, value)
        case "contains" | "starts_with" | "ends_with" | "regex":
            return of_text(asking, op, str(operand), value, case=check.case)
        case "has_any" | "has_all":
            joined = " OR " if op == "has_any" else " AND "
            return parenthesised(joined, (has(asking, one, value, case=check.case) for one in listed(check)))
        case "anniversary_in_next":
            return anniversary(asking, int(number_of(operand)), value)
    if isinstance(operand, Decimal) and op not in ("in_last", "in_next"):
        return compared(asking, check, value)
    return within(asking, range_of(asking, check), value)


def parenthesised(joined: str, conditions: Iterable[str]) -> str:
    return f"({joined.join(conditions)})"


def listed(check: Check) -> tuple[Scalar, ...]:
    return (
        check.value if isinstance(check.value, tuple) else (check.value,) if check.value is not None else ()
    )


def number_of(operand: object) -> Decimal:
    assert isinstance(operand, Decimal), operand  # noqa: S101 - read so
    return operand


def units(asking: Asking, operand: Decimal, value: Value) -> str:
    """The operand to compare a number with; as NUMERIC, since eight bytes do not hold every product."""
    there = asking.parameters(int(operand * UNITS))
    return there if value.times is None else f"CAST({there} AS NUMERIC) * {value.times}"


def same(asking: Asking, check: Check, value: Value) -> str:
    """Equal to one of the operands. A text that is a number equals a number, and the other way round."""
    ways: list[str] = []
    texts: list[str] = []
    for one in listed(check):
        if isinstance(one, bool):
            ways.append(f"{value.truth} = {'TRUE' if one else 'FALSE'}")
        elif isinstance(one, Decimal):
            ways.append(f"{value.numeric} = {units(asking, one, value)}")
        else:
            texts.append(one)
            if value.number != NOTHING and NUMBER.match(one):
                ways.append(f"{value.number} = {units(asking, Decimal(one), value)}")
    ways += of_texts(asking, texts, value, case=check.case)
    return parenthesised(" OR ", (f"COALESCE({one}, FALSE)" for one in ways))


def of_texts(asking: Asking, texts: Sequence[str], value: Value, *, case: bool) -> list[str]:
    """Ways to equal a text. No blank is among them, so that a blank value needs no look."""
    ascii_only = [folded(one) for one in texts if one.isascii() and not case]
    others = [one for one in texts if case or not one.isascii()]
    ways = []
    if ascii_only:
        spelled = ", ".join(map(asking.parameters, ascii_only))
        ways.append(f"{asking.dialect.fold_ascii(value.raw)} IN ({spelled})")
    if others:
        spelled = ", ".join(spelling(asking, asking.parameters(one), case=case) for one in others)
        ways.append(f"{spelling(asking, value.raw, case=case)} IN ({spelled})")
    return [f"({one} AND {value.is_text})" for one in ways]


def spelling(asking: Asking, text: str, *, case: bool) -> str:
    return text if case else asking.dialect.fold(text)


def of_text(asking: Asking, op: str, operand: str, value: Value, *, case: bool) -> str:
    if op == "regex":  # which blank texts may match, too
        text = spelling(asking, value.text, case=case)
        return asking.dialect.found(text, operand, asking.parameters, case=case)
    return f"({has_part(asking, op, operand, value.raw, case=case)} AND {value.is_text})"


def has_part(asking: Asking, op: str, operand: str, text: str, *, case: bool) -> str:
    where = spelling(asking, text, case=case)
    piece = spelling(asking, asking.parameters(operand), case=case)
    match op:
        case "contains":
            return f"{asking.dialect.position(where, piece)} > 0"
        case "starts_with":
            return f"substr({where}, 1, length({piece})) = {piece}"
    return f"{asking.dialect.end(where, piece)} = {piece}"


def has(asking: Asking, operand: Scalar, value: Value, *, case: bool) -> str:
    """Whether a list has the text."""
    if value.path is not None:
        if "/" in str(operand):
            return NEVER
        piece = spelling(asking, asking.parameters(f"/{operand}/"), case=case)
        return f"{asking.dialect.position(spelling(asking, value.path, case=case), piece)} > 0"
    if value.items is None:
        return NEVER
    item = spelling(asking, "item", case=case)
    wanted = spelling(asking, asking.parameters(operand), case=case)
    return f"EXISTS (SELECT 1 FROM {value.items} WHERE {item} = {wanted})"


def compared(asking: Asking, check: Check, value: Value) -> str:
    first = units(asking, number_of(check.value), value)
    if check.op == "between":
        last = units(asking, number_of(check.value2), value)
        return f"({value.numeric} >= {first} AND {value.numeric} <= {last})"
    return f"{value.numeric} {COMPARED[check.op]} {first}"


def range_of(asking: Asking, check: Check) -> Range:
    """The span of time that a check of moments asks for."""
    zone, as_of = asking.zone, asking.as_of
    if check.op in ("in_last", "in_next"):
        n, unit = int(number_of(check.value)), str(check.value2)
        if check.op == "in_last":
            return moments.stepped(as_of, -n, unit, zone), moments.micros(as_of) + 1
        return moments.micros(as_of), moments.stepped(as_of, n, unit, zone) + 1
    at = str(check.value)
    match check.op:
        case "before" | "lt":
            return None, moments.start_of(at, zone)
        case "after" | "gte":
            return moments.start_of(at, zone), None
        case "lte":
            return None, moments.end_of(at, zone)
        case "gt":
            return moments.end_of(at, zone), None
    return moments.start_of(at, zone), moments.end_of(str(check.value2), zone)


def within(asking: Asking, span: Range, value: Value) -> str:
    if value.moment is not None:
        return between(value.moment, *(None if one is None else asking.parameters(one) for one in span))
    if value.text == NOTHING:
        return NEVER
    # ISO dates and date-times are in the order of their texts; a date is compared with the first date whose
    # midnight is not before the moment, so no row needs the time zone.
    edges = [None if one is None else edge(asking, one) for one in span]
    date = between(asking.dialect.bytewise(value.text), *(one and asking.parameters(one[0]) for one in edges))
    time = between(
        asking.dialect.bytewise(f"rtrim({value.text}, 'Z')"),
        *(one and asking.parameters(one[1]) for one in edges),
    )
    return f"CASE {asking.dialect.iso(value.text)} WHEN 1 THEN {date} WHEN 2 THEN {time} END"


def between(sql: str, first: str | None, end: str | None) -> str:
    ways = [*([f"{sql} >= {first}"] if first else []), *([f"{sql} < {end}"] if end else [])]
    return parenthesised(" AND ", ways)


def edge(asking: Asking, micros: int) -> tuple[str, str]:
    """The moment as a date and as a date-time, both to compare texts with; a date-time's Z is gone."""
    try:
        moment = moments.EPOCH + timedelta(microseconds=micros)
        local = moment.astimezone(asking.zone)
        date = local.date()
        if moments.midnight(date, asking.zone) < moment:
            date += timedelta(days=1)
    except OverflowError:
        return ("0", "0") if micros < 0 else ("9999-99", "9999-99")
    return date.isoformat(), moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def anniversary(asking: Asking, days: int, value: Value) -> str:
    """Today is day 0; who was born on 29 February has the 28th in other years."""
    if value.text == NOTHING:
        return NEVER
    today = asking.as_of.astimezone(asking.zone).date()
    wanted: dict[str, None] = {}
    for ahead in range(days + 1):
        day = today + timedelta(days=ahead)
        wanted[f"{day:%m-%d}"] = None
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
            wanted["02-29"] = None
    found = asking.dialect.month_day(value.text, asking.parameters(asking.zone.key))
    return f"{found} IN ({', '.join(asking.parameters(one) for one in wanted)})"
