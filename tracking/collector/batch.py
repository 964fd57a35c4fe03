"""`POST /api/<customer>/events`: up to 500 events in one request, each judged for itself.

The body is a JSON list of events, an object whose ``events`` is that list, or one event a line (NDJSON). An
event is an object: ``event``, ``user``, ``itemtype`` and ``item`` (for a login ``source`` and ``user``, for
``rendered`` also a list of items), and the parameters of the event under their names. All good events of a
request are committed together; each bad one is answered with its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from config.customers.directory import CustomerAccount
from tracking.collector import body as bodies
from tracking.collector import gate, path, quick, single
from tracking.collector.answers import Answer
from tracking.collector.path import Parts
from tracking.collector.refusals import refusals
from tracking.collector.rows import EdgeRow, EventRow
from tracking.events import Rule, Shape, rule_of
from tracking.fields import BadEvent, shown

CODE = b"events"
MOST_EVENTS = 500
MOST_NAMED = 10_000  # items, repeated ones too; each event of `rendered` may name 500
METHODS = "POST, OPTIONS"
NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
SUBJECT = frozenset({"event", "user", "itemtype", "item", "source"})


class Batch(NamedTuple):
    """What a batch means: the same three things as a request of one event."""

    rows: list[EventRow]
    edges: list[EdgeRow]
    answer: Answer


def is_meant(parts: Parts) -> bool:
    """Whether this is the address of batches; one slash at the end is harmless."""
    return parts.event == CODE and parts.rest in ([], [b""])


def read(
    account: CustomerAccount, *, headers: Mapping[str, str], body: bytes, received: int, nobody: bool
) -> Batch:
    """Raises :class:`BadEvent` where the request as a whole is wrong (400, 413, 415) or over budget (429).

    The budget is charged with what is offered, before it is read: refused events cost as much.
    """
    found = documents(headers, body)
    offered = sum(map(named_by, found))
    if offered > MOST_NAMED:
        raise BadEvent(413, f"a batch must name at most {MOST_NAMED} items; send less at once")
    gate.budgets.spend(account, events=offered, now=received)
    return judged(account, found, received=received, nobody=nobody)


def named_by(document: object) -> int:
    """How many items an event names at most, before anything of it is read."""
    item = document.get("item") if isinstance(document, dict) else None
    if isinstance(item, list):
        return max(1, len(item))
    return item.count(",") + 1 if isinstance(item, str) else 1


def judged(account: CustomerAccount, offered: list[object], *, received: int, nobody: bool) -> Batch:
    """Each event for itself."""
    rows: list[EventRow] = []
    edges: list[EdgeRow] = []
    results = []
    for number, document in enumerate(offered):
        try:
            found, joined = one(account, document, received=received, nobody=nobody)
        except BadEvent as reason:
            results.append({"index": number, "status": reason.status, "message": reason.message})
            reason.customer_id = account.customer_id
            refusals.note(f"/api/{account.customer_id}/events".encode(), "POST", reason)
        else:
            rows += found
            edges += joined
            results.append({"index": number, "status": 204})
    refused = sum(result["status"] != 204 for result in results)
    answer = {"accepted": len(results) - refused, "rejected": refused, "results": results}
    return Batch(rows, edges, Answer(200, "application/json", orjson.dumps(answer) + b"\n"))


def documents(headers: Mapping[str, str], body: bytes) -> list[object]:
    """The events of a body, each still unread; a line that is no JSON is an event of its own."""
    kind = bodies.media_type(headers, body)
    if kind in NDJSON:
        found = [parsed_line(line) for line in body.split(b"\n") if line.strip()]
    elif kind == "application/json":
        found = listed(bodies.parsed(body))
    else:
        raise BadEvent(415, "send the events as application/json or application/x-ndjson")
    if not found:
        raise BadEvent(400, "the body holds no event")
    if len(found) > MOST_EVENTS:
        raise BadEvent(413, f"a batch must hold at most {MOST_EVENTS} events; got {len(found)}")
    return found


def listed(document: object) -> list[object]:
    if isinstance(document, BadEvent):
        raise document
    found = document.get("events") if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise BadEvent(400, 'the body must be a list of events, or an object with "events"')
    return found


def parsed_line(line: bytes) -> object:
    """The line's document, or the reason why it is none, for the result of this event."""
    try:
        return bodies.parsed(line)
    except BadEvent as reason:
        return reason


def one(
    account: CustomerAccount, document: object, *, received: int, nobody: bool
) -> tuple[list[EventRow], list[EdgeRow]]:
    """The rows of one event of a batch. Raises :class:`BadEvent`."""
    if isinstance(document, BadEvent):
        raise document
    if not isinstance(document, dict):
        raise BadEvent(400, "an event must be a JSON object")
    path.refuse_many(len(document))
    plain = quick.row_of_document(account, document, received=received, nobody=nobody)
    if plain is not None:
        return [plain], []
    if not document.get("event"):
        raise BadEvent(400, "event must be given, for instance click")
    rule = rule_of(text("event", document["event"]))
    sent = [(name, text(name, value)) for name, value in document.items() if name not in SUBJECT]
    return single.rows_of(
        account, rule, list(path_of(rule, document)), sent, received=received, nobody=nobody
    )


def path_of(rule: Rule, document: dict[str, Any]) -> Iterator[bytes]:
    """The parts that would follow the event code in an address, encoded, so that one reader serves both."""
    if rule.shape is Shape.LOGIN:
        yield encoded("source", document)
    yield encoded("user", document)
    if rule.shape in (Shape.ITEM, Shape.ITEMS):
        yield encoded("itemtype", document)
        items = document.get("item")
        if rule.shape is Shape.ITEMS and isinstance(items, list) and items:
            single.refuse_many_items(len(items))
            yield b",".join(encoded("item", {"item": item}) for item in items)
        else:
            yield encoded("item", document)


def encoded(name: str, document: dict[str, Any]) -> bytes:
    value = document.get(name)
    if value is None or value in ("", []):
        raise BadEvent(400, f"{name} must be given")
    return quote(text(name, value), safe="").encode()


def text(name: str, value: object) -> str:
    """A value as it would stand in an address: texts and numbers, nothing else."""
    if isinstance(value, float):
        raise BadEvent(400, f"{shown(name)} must be a text or a whole number; got {shown(str(value))}")
    return bodies.scalar(name, value)
