"""Short ways to write condition documents."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
EVER: Document = {"kind": "ever"}


def group(*children: Document, op: str = "and", **more: Any) -> Document:
    return {"type": "group", "op": op, "children": list(children), **more}


def either(*children: Document) -> Document:
    return group(*children, op="or")


def did(event: str, **more: Any) -> Document:
    return {"type": "did", "event": event, **more}


def did_not(event: str, **more: Any) -> Document:
    return {"type": "did_not", "event": event, **more}


def have(attribute: Any, op: str, value: Any = None, **more: Any) -> Document:
    return {
        "type": "have",
        "attribute": attribute,
        "op": op,
        **({} if value is None else {"value": value}),
        **more,
    }


def calc(name: str, event: str = "buy", of: str | None = "subtotal", **more: Any) -> Document:
    return {"calc": name, "event": event, "property": of, **more}


def top(dimension: str, event: str = "visit", **more: Any) -> Document:
    return {"calc": "top", "dimension": dimension, "event": event, **more}


def member(identifier: str, *, is_in: bool = True) -> Document:
    return {"type": "audience", "audience": identifier, "is": is_in}


def last(n: int, unit: str) -> Document:
    return {"kind": "in_last", "n": n, "unit": unit}


def between(start: str, end: str) -> Document:
    return {"kind": "between", "from": start, "to": end}


def only(name: str, op: str, value: Any, **more: Any) -> Document:
    return {"property": name, "op": op, "value": value, **more}


def nested(depth: int) -> Document:
    """Groups so deep in each other."""
    return group(did("buy")) if depth == 1 else group(nested(depth - 1))
