"""Writing a tree as its document: of all documents that mean it the one that is stored and compared."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cdp.audiences.conditions.document import (
    Attribute,
    Calc,
    Check,
    Did,
    Events,
    Group,
    Have,
    Member,
    Node,
    Scalar,
    Top,
    Window,
)

Document = dict[str, Any]


def written(node: Node) -> Document:
    """The document of a node; reading it gives the node again."""
    match node:
        case Group(op=op, children=children, negated=negated):
            return {"type": "group", "op": op, "not": negated, "children": [written(one) for one in children]}
        case Did():
            return of_did(node)
        case Have(subject=subject, check=check):
            named = subject.name if isinstance(subject, Attribute) else of_subject(subject)
            return {"type": "have", "attribute": named, **of_check(check)}
        case Member(audience=audience, is_in=is_in):
            return {"type": "audience", "audience": audience, "is": is_in}


def of_did(node: Did) -> Document:
    count = {"op": node.count.op, "value": node.count.value}
    if node.count.value2 is not None:
        count["value2"] = node.count.value2
    return {
        "type": "did_not" if node.negated else "did",
        **of_events(node.events),
        "count": count,
        "count_by": node.count_by,
    }


def of_events(events: Events) -> Document:
    filters = [{"property": one.property, **of_check(one.check)} for one in events.where]
    return {"event": events.event, "window": of_window(events.window), "where": filters}


def of_window(window: Window) -> Document:
    match window.kind:
        case "in_last" | "not_in_last":
            return {"kind": window.kind, "n": window.n, "unit": window.unit}
        case "between":
            return {"kind": "between", "from": window.start, "to": window.end}
        case "before" | "after":
            return {"kind": window.kind, "at": window.start or window.end}
    return {"kind": "ever"}


def of_check(check: Check) -> Document:
    document: Document = {"op": check.op}
    if check.value is not None:
        document["value"] = plain(check.value)
    if check.value2 is not None:
        document["value2"] = plain(check.value2)
    return document | ({"case": True} if check.case else {})


def plain(value: Scalar | tuple[Scalar, ...]) -> Any:
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def of_subject(subject: Calc | Top) -> Document:
    if isinstance(subject, Calc):
        return {"calc": subject.calc, "property": subject.property, **of_events(subject.events)}
    document = {
        "calc": "top",
        "dimension": subject.dimension,
        "metric": subject.metric,
        "property": subject.property,
        "rank": subject.rank,
        "min_events": subject.min_events,
        **of_events(subject.events),
    }
    if subject.dimension == "category":
        document["level"] = "leaf" if subject.level is None else subject.level
    return document
