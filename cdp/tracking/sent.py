"""One event as the pixel, the first-party script and the tags send it -> a call."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from cdp.tracking import message, people, times
from cdp.tracking.message import Call
from config.nesting import MOST_DEPTH, is_deep
from tracking.collector import path
from tracking.events import RULES
from tracking.fields import BadEvent, shown

EVENT_ID = RULES["click"].by_name["eventid"].parse
MOST_EVENTS = 100
BIGGEST_EVENT = 32_768  # bytes
BIGGEST_BATCH = 500_000
LONGEST_SESSION = 64
LONGEST_ADDRESS = 255
KEYS = frozenset({"event", "params", "event_id", "ts", "url", "referrer", "consent"})
# Who it is, when it was, whether it may be stored: not what the event says.
OF_THE_SENDER = frozenset(
    {
        "p1",
        "coid",
        "sid",
        "ruid",
        "ts",
        "event_id",
        "eventid",
        "url",
        "referrer",
        "consent",
        "usersig",
        "customer",
    }
)
Rejected = dict[str, Any]  # index and reason


def from_query(pairs: Sequence[tuple[str, bytes]], *, now: int) -> tuple[Call, dict[str, str]]:
    """The call behind ``?p1=...``, and the parameters as texts. Raises :class:`BadEvent`."""
    params: dict[str, str] = {}
    for name, value in pairs:
        if name in params:
            raise BadEvent(400, f"{shown(name)} given twice")
        params[name] = path.decode_value(value, name)
    if not params.get("p1"):
        raise BadEvent(400, "p1 must be given, for instance visit")
    return call_of(params["p1"], params, now=now), params


def call_of(event: str, params: Mapping[str, str], *, now: int) -> Call:
    """``params``: those of the event and of its sender."""
    return Call(
        kind=message.EVENT,
        ts=times.moment("ts", params.get("ts", ""), now=now),
        event_id=event_id(params.get("event_id", "") or params.get("eventid", "")),
        coid=people.device("coid", params.get("coid", "")),
        ruid=people.encoded(params.get("ruid", "")),
        sid=session(params.get("sid", "")),
        event=event,
        params=told(params) | places(params),
    )


def told(params: Mapping[str, str]) -> dict[str, str]:
    """Without what stands in the call itself, and without who it is."""
    return {name: value for name, value in params.items() if name not in OF_THE_SENDER}


def places(params: Mapping[str, str]) -> dict[str, str]:
    """The page and where its visitor came from, without their queries: those may hold anything."""
    cut = {name: params.get(name, "").partition("?")[0].partition("#")[0] for name in ("url", "referrer")}
    return {
        f"page_{name}": value[:LONGEST_ADDRESS]
        for name, value in cut.items()
        if value.isprintable() and value
    }


def event_id(value: str) -> str:
    return str(EVENT_ID("event_id", value)) if value else uuid.uuid4().hex


def session(value: str) -> str:
    if len(value) > LONGEST_SESSION or not value.isprintable():
        raise BadEvent(400, f"sid must be at most {LONGEST_SESSION} printable characters")
    return value


def documents(body: bytes) -> tuple[list[object], bool]:
    """The events of a body, and whether it is a batch: a list, or an object with ``events`` or ``batch``.

    Raises :class:`BadEvent` 400 for bad JSON and for what is too big as a whole.
    """
    if len(body) > BIGGEST_BATCH:
        raise BadEvent(400, f"a batch must be at most {BIGGEST_BATCH} bytes long; got {len(body)} bytes")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as reason:
        raise BadEvent(400, f"the body is not valid JSON: {shown(str(reason))}") from None
    if is_deep(document):
        raise BadEvent(400, f"the body's JSON is too deep (max {MOST_DEPTH})")
    listed = document.get("batch", document.get("events")) if isinstance(document, dict) else document
    if listed is None:
        if len(body) > BIGGEST_EVENT:
            raise too_big(len(body))
        return [document], False
    if not isinstance(listed, list) or not listed:
        raise BadEvent(400, "the body must be an event, a list of events, or an object with a list of them")
    if len(listed) > MOST_EVENTS:
        raise BadEvent(400, f"a batch must hold at most {MOST_EVENTS} events; got {len(listed)}")
    return listed, True


def too_big(length: int) -> BadEvent:
    return BadEvent(400, f"an event must be at most {BIGGEST_EVENT} bytes long; got {length} bytes")


def as_object(document: object, *, in_batch: bool) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise BadEvent(400, "an event must be a JSON object")
    if in_batch and (length := len(orjson.dumps(document))) > BIGGEST_EVENT:
        raise too_big(length)
    return document


def from_document(document: dict[str, Any], *, now: int) -> tuple[Call, dict[str, str]]:
    """The call of ``{"event", "params": {}, "event_id", "ts", "url", "referrer"}``, and its consent.

    Raises :class:`BadEvent`.
    """
    for name in document:
        if name not in KEYS:
            raise BadEvent(
                400, f"{shown(name)} is not a key of an event; known are {', '.join(sorted(KEYS))}"
            )
    params = document.get("params", {})
    if not isinstance(params, dict):
        raise BadEvent(400, "params must be an object of parameters")
    if not document.get("event"):
        raise BadEvent(400, "event must be given, for instance visit")
    path.refuse_many(len(params))
    beside = {name: scalar(name, document[name]) for name in KEYS - {"event", "params"} if name in document}
    texts = {name: scalar(name, value) for name, value in params.items()} | beside
    return call_of(scalar("event", document["event"]), texts, now=now), texts


def scalar(name: str, value: object) -> str:
    """A text or a number as text; nothing is nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        if "\0" in value:
            raise BadEvent(400, f"{shown(name)} must not contain a NUL byte")
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    raise BadEvent(400, f"{shown(name)} must be a text or a number")
