"""Reading which events count: windows, counts, filters, calculated attributes (`cdp.md` 3.2, 3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from cdp.audiences.conditions import checks, moments, properties
from cdp.audiences.conditions.checks import Wrong, bad, whole
from cdp.audiences.conditions.document import Attribute, Calc, Count, Events, Predicate, Top, Window
from cdp.audiences.conditions.faults import shown

COUNTED = ("order_id", "product_id", "session", "day")
COUNTS = ("gte", "gt", "lte", "lt", "eq", "between")
SUMMED = ("sum", "avg", "min", "max")
CALCS = (*SUMMED, "count", "distinct", "first", "last", "days_since_last")
DIMENSIONS = ("category", "brand", "product")
ATTRIBUTE = re.compile(r'[^\x00-\x1f"\\]{1,128}\Z')
MOST_PREDICATES, MOST_EVENTS, LONGEST_EVENT = 20, 2**31 - 1, 20
WINDOWS = {
    "ever": (),
    "in_last": ("n", "unit"),
    "not_in_last": ("n", "unit"),
    "between": ("from", "to"),
    "before": ("at",),
    "after": ("at",),
}
OF_CALC = {"calc", "event", "property", "window", "where"}
OF_TOP = {*OF_CALC, "dimension", "metric", "rank", "min_events", "level"}
Read = TypeVar("Read")


def read(written: dict[str, Any], *, known: Collection[str] | None, zone: ZoneInfo) -> Events:
    """The events that an object with event, window and where speaks of. Raises :class:`Wrong`."""
    event = written.get("event")
    if not isinstance(event, str) or not 1 <= len(event) <= LONGEST_EVENT or "\0" in event:
        raise Wrong("unknown_event", "event", f"event must be the name of an event; got {shown(event)}.")
    if known is not None and event not in known:
        raise Wrong("unknown_event", "event", f"No event is called {shown(event)}.")
    return Events(
        event=event,
        window=within("window", lambda: window(written.get("window"), zone)),
        where=where(written.get("where"), zone),
    )


def within(key: str, reading: Callable[[], Read]) -> Read:
    """What is wrong inside of ``key`` is so at a longer pointer."""
    try:
        return reading()
    except Wrong as fault:
        fault.key = f"{key}/{fault.key}" if fault.key else key
        raise


def window(written: Any, zone: ZoneInfo) -> Window:
    if written is None:
        return Window()
    kind = written.get("kind") if isinstance(written, dict) else None
    if not isinstance(kind, str) or kind not in WINDOWS:
        raise Wrong("bad_window", "", f"A window is one of {', '.join(WINDOWS)}; got {shown(written)}.")
    if more := sorted(str(key) for key in written if key not in ("kind", *WINDOWS[kind])):
        raise Wrong("bad_window", more[0], f"A window {kind} has no {shown(more[0])}.")
    if "n" in WINDOWS[kind]:
        return Window(kind=kind, n=steps(written.get("n")), unit=unit(written.get("unit")))
    found = {key: at(key, written.get(key), zone) for key in WINDOWS[kind]}
    if kind == "between":
        return ordered(found["from"], found["to"], zone)
    return Window(
        kind=kind,
        start=found.get("at", "") if kind == "after" else "",
        end=found.get("at", "") if kind == "before" else "",
    )


def steps(n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= checks.MOST_STEPS:
        raise Wrong(
            "bad_window", "n", f"n must be a whole number from 1 to {checks.MOST_STEPS}; got {shown(n)}."
        )
    return n


def unit(name: Any) -> str:
    if not isinstance(name, str) or name not in moments.UNITS:
        raise Wrong("bad_window", "unit", f"unit is one of {', '.join(moments.UNITS)}; got {shown(name)}.")
    return name


def at(key: str, value: Any, zone: ZoneInfo) -> str:
    try:
        return checks.moment(key, value, zone)
    except Wrong as fault:
        raise Wrong("bad_window", key, str(fault)) from None


def ordered(start: str, end: str, zone: ZoneInfo) -> Window:
    if moments.start_of(start, zone) >= moments.until(end, zone):
        raise Wrong("bad_window", "to", f"to must be later than from, {start}; got {shown(end)}.")
    return Window(kind="between", start=start, end=end)


def where(written: Any, zone: ZoneInfo) -> tuple[Predicate, ...]:
    if written is None:
        return ()
    if not isinstance(written, list) or len(written) > MOST_PREDICATES:
        raise bad("where", f"a list of at most {MOST_PREDICATES} objects", written)
    return tuple(within(f"where/{place}", partial(predicate, one, zone)) for place, one in enumerate(written))


def predicate(written: Any, zone: ZoneInfo) -> Predicate:
    if not isinstance(written, dict):
        raise Wrong("bad_value", "", f"A filter is an object; got {shown(written)}.")
    allow(written, {"property", "op", "value", "value2", "case"})
    name = named(written.get("property"))
    return Predicate(property=name, check=checks.read(written, kind=properties.kind_of(name), zone=zone))


def named(name: Any) -> str:
    if not isinstance(name, str) or not properties.NAME.match(name):
        raise bad("property", "the name of a property", name)
    return properties.ALIASES.get(name, name)


def allow(written: dict[str, Any], keys: Collection[str]) -> None:
    if more := sorted(str(key) for key in written if key not in keys):
        raise Wrong(
            "bad_value", more[0], f"{shown(more[0])} is not known here; known: {', '.join(sorted(keys))}."
        )


def count(written: Any) -> Count:
    """Raises :class:`Wrong`, ``use_did_not`` for what only zero could be."""
    if written is None:
        return Count()
    if not isinstance(written, dict):
        raise bad("count", "an object with op and value", written)
    return within("count", lambda: of_count(written))


def of_count(written: dict[str, Any]) -> Count:
    allow(written, {"op", "value", "value2"})
    op = written.get("op", "gte")
    if op not in COUNTS:
        raise Wrong("bad_operator", "op", f"op is one of {', '.join(COUNTS)}; got {shown(op)}.")
    value = whole("value", written.get("value", 1), 0, MOST_EVENTS)
    value2 = None
    if op == "between":
        value2 = whole("value2", written.get("value2"), value, MOST_EVENTS)
    elif written.get("value2") is not None:
        raise bad("value2", f"absent with {op}", written["value2"])
    if {"eq": value, "lte": value, "lt": value - 1, "between": value2}.get(op, 1) in (0, -1):
        raise Wrong("use_did_not", "", "Nobody did something zero times; use did_not.")
    return Count(op=op, value=value, value2=value2)


def calculated(written: dict[str, Any], *, known: Collection[str] | None, zone: ZoneInfo) -> Calc | Top:
    return within("attribute", lambda: of_calc(written, known=known, zone=zone))


def of_calc(written: dict[str, Any], *, known: Collection[str] | None, zone: ZoneInfo) -> Calc | Top:
    name = written.get("calc")
    if name == "top":
        return top(written, known=known, zone=zone)
    if not isinstance(name, str) or name not in CALCS:
        raise Wrong(
            "unknown_attribute", "calc", f"calc is one of {', '.join((*CALCS, 'top'))}; got {shown(name)}."
        )
    allow(written, OF_CALC)
    found = written.get("property")
    if name in (*SUMMED, "distinct") or found is not None:
        found = summed(found) if name in SUMMED else single(name, found)
    return Calc(calc=name, property=found, events=read(written, known=known, zone=zone))


def summed(written: Any) -> str:
    name = named(written)
    if properties.kind_of(name) not in ("number", "any"):
        raise bad("property", "a property with numbers", written)
    return name


def single(calc: str, written: Any) -> str:
    name = named(written)
    if calc == "days_since_last":
        raise bad("property", f"absent with {calc}", written)
    if properties.kind_of(name) == "array":
        raise bad("property", "a property with one value", written)
    return name


def top(written: dict[str, Any], *, known: Collection[str] | None, zone: ZoneInfo) -> Top:
    allow(written, OF_TOP)
    dimension, metric = written.get("dimension"), written.get("metric", "count")
    if dimension not in DIMENSIONS:
        raise bad("dimension", f"one of {', '.join(DIMENSIONS)}", dimension)
    if metric not in ("count", "sum"):
        raise bad("metric", "count or sum", metric)
    found = written.get("property")
    if metric == "count" and found is not None:
        raise bad("property", "absent with the metric count", found)
    level = written.get("level", "leaf")
    if level not in ("leaf", None) and dimension != "category":
        raise bad("level", "absent where the dimension is not category", level)
    return Top(
        dimension=dimension,
        metric=metric,
        property=summed(found) if metric == "sum" else None,
        rank=whole("rank", written.get("rank", 1), 1, 1_000),
        min_events=whole("min_events", written.get("min_events", 1), 1, MOST_EVENTS),
        level=None if level in ("leaf", None) else whole("level", level, 0, 9),
        events=read(written, known=known, zone=zone),
    )


def kind_of(subject: Attribute | Calc | Top) -> str:
    """The kind of value that is compared (properties.OPERATORS)."""
    if isinstance(subject, Attribute):
        return "any"
    if isinstance(subject, Top):
        return "text"
    if subject.calc in ("first", "last"):
        return "moment" if subject.property is None else properties.kind_of(subject.property)
    return "number"
