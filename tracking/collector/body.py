"""Parameters in the body of a POST: a form or a flat JSON object. They count like those of the address."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from tracking.collector import path, repeated
from tracking.fields import BadEvent, shown

BIGGEST_BODY = 1_048_576
BIGGEST_EVENT = 32_768  # a body of one event, which holds up all others while it is read
DEEPEST_JSON = 64
UNMEASURED = "send a Content-Length; chunked bodies are not accepted"


def parameters(headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    """Names and values of the body. Raises :class:`BadEvent` 400, 413 or 415."""
    if len(body) > BIGGEST_EVENT:
        raise too_big(len(body), most=BIGGEST_EVENT)
    match media_type(headers, body):
        case "application/x-www-form-urlencoded":
            return from_form(body)
        case "application/json":
            return from_json(body)
    raise BadEvent(415, "send parameters in the address, as a form or as a JSON object")


def media_type(headers: Mapping[str, str], body: bytes) -> str:
    """What the body is said to be. Raises :class:`BadEvent` for one that is too big or not UTF-8."""
    if len(body) > BIGGEST_BODY:
        raise too_big(len(body))
    kind, _, options = headers.get("content-type", "").lower().partition(";")
    charset = options.partition("charset=")[2].strip().strip('"')
    if charset not in ("", "utf-8", "utf8"):
        raise BadEvent(415, f"the body must be UTF-8; its charset is {shown(charset)}")
    return kind.strip()


def biggest(target: bytes) -> int:
    """The most bytes of a body for this address, as far as it can be told before the address is read."""
    return (
        BIGGEST_BODY if target.partition(b"?")[0].removesuffix(b"/").endswith(b"/events") else BIGGEST_EVENT
    )


def too_big(length: int, *, most: int = BIGGEST_BODY) -> BadEvent:
    return BadEvent(413, f"the body must be at most {most} bytes long; got {length} bytes")


def from_form(body: bytes) -> list[tuple[str, str]]:
    path.refuse_forbidden_bytes(body)
    return [(name, path.decode_value(value, name)) for name, value in path.pairs(body)]


def from_json(body: bytes) -> list[tuple[str, str]]:
    refuse_depth(body)
    document = parsed(body)
    if isinstance(document, BadEvent):
        raise document
    if not isinstance(document, dict):
        raise BadEvent(400, "the JSON body must be an object of parameters")
    path.refuse_many(len(document))
    return [(name, scalar(name, value)) for name, value in document.items()]


def parsed(body: bytes) -> object:
    """The document of a JSON body, in which a :class:`BadEvent` may stand for an object of the top.

    orjson refuses NaN, lone surrogates and what is nested too deep.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as reason:
        if "depth limit" in str(reason):
            raise BadEvent(400, "the body's JSON is too deep") from None
        raise BadEvent(400, f"the body is not valid JSON: {shown(str(reason))}") from None
    return repeated.refused(body, document)


def refuse_depth(body: bytes) -> None:
    """Counts brackets, also those in strings: nobody needs 64 of them in a flat object."""
    if body.count(b"[") + body.count(b"{") > DEEPEST_JSON:
        raise BadEvent(400, f"the body's JSON is too deep (max {DEEPEST_JSON})")


def scalar(name: str, value: object) -> str:
    if isinstance(value, str):
        if "\0" in value or "\\" in value:
            raise BadEvent(400, f"{shown(name)} must not contain a backslash or a NUL byte")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise BadEvent(400, f"{shown(name)} must be a text or a whole number")
