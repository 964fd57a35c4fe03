"""Names that stand twice in a JSON object: orjson keeps the last value and says nothing of the first.

A parameter that is given twice is refused in an address, and so it is in a body
(reliability-security-ecosystem, B6).
"""

from __future__ import annotations

import json
from typing import Any

from tracking.events import RULES
from tracking.fields import BadEvent

# As in an address, what nobody reads may be repeated.
READ = frozenset({"event", "events", "user", "itemtype", "item", "source"}).union(
    *(rule.by_name for rule in RULES.values())
)


def refused(body: bytes, document: object) -> object:
    """The document, with a :class:`BadEvent` in the place of each object of the top that repeats a name.

    ``body``: what ``document`` was read from. Every member has a colon, so an ordinary body is known by their
    number; only one with more of them (in a text, or a repeated name) is read a second time.
    """
    listed = document.get("events") if isinstance(document, dict) else document
    members = sum(len(one) for one in listed if isinstance(one, dict)) if isinstance(listed, list) else 0
    members += len(document) if isinstance(document, dict) else 0
    if body.count(b":") == members:
        return document
    return judged(document, read_again(body))


def read_again(body: bytes) -> object:
    """The document with a :class:`BadEvent` for each object that repeats a name."""
    try:
        # Numbers stay texts: thousands of digits are no number to Python.
        return json.loads(body, object_pairs_hook=read_once, parse_int=str)
    except RecursionError:
        raise BadEvent(400, "the body's JSON is too deep") from None


def read_once(members: list[tuple[str, Any]]) -> dict[str, Any] | BadEvent:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _value in members]
        for name in found:
            if name in READ and names.count(name) > 1:
                return BadEvent(400, f"{name} given twice")
    return found


def judged(document: object, again: object) -> object:
    """``document`` with the objects that ``again`` refuses."""
    if isinstance(again, BadEvent):
        return again
    if isinstance(document, dict) and isinstance(again, dict):
        return (
            document | {"events": judged(document["events"], again["events"])}
            if "events" in again
            else document
        )
    if isinstance(document, list) and isinstance(again, list):
        pairs = zip(document, again, strict=True)
        return [reason if isinstance(reason, BadEvent) else one for one, reason in pairs]
    return document
