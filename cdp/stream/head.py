"""The headers of a delivery (reference `cdp.md` 1.5)."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from django.http import HttpRequest

from cdp.stream.refusal import Refused

TRUE, FALSE = {"true", "1"}, {"", "false", "0"}
MOST_SEQUENCE = 1_000_000
TYPES = ("application/json", "application/x-ndjson", "text/csv", "text/tab-separated-values")
OCTETS = "application/octet-stream"  # only as a draft: somebody wants to see what we make of it


class Head(NamedTuple):
    stream_id: str
    content_type: str
    is_draft: bool
    run: uuid.UUID | None
    sequence: int
    is_final: bool


def read(request: HttpRequest) -> Head:
    """Raises :class:`Refused`."""
    stream_id = request.headers.get("x-streamid", "").strip()
    if not stream_id:
        raise Refused(401, "stream_id_missing", "Send the stream id of a dataflow in the header x-streamid.")
    is_draft = flag(request, "x-isdraft")
    run = run_id(request)
    sequence = number(request, "x-run-sequence")
    if sequence and run is None:
        raise Refused(400, "bad_header", "x-run-sequence needs an x-run-id to belong to.")
    return Head(
        stream_id=stream_id,
        content_type=content_type(request, is_draft=is_draft),
        is_draft=is_draft,
        run=run,
        sequence=sequence,
        is_final=flag(request, "x-run-final") or run is None,
    )


def flag(request: HttpRequest, name: str) -> bool:
    value = request.headers.get(name, "").strip().lower()
    if value not in TRUE | FALSE:
        raise Refused(400, "bad_header", f"{name} must be true or false; got {value[:40]!r}.")
    return value in TRUE


def run_id(request: HttpRequest) -> uuid.UUID | None:
    value = request.headers.get("x-run-id", "").strip()
    if not value:
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        raise Refused(400, "bad_header", f"x-run-id must be a UUID; got {value[:40]!r}.") from None


def number(request: HttpRequest, name: str) -> int:
    value = request.headers.get(name, "").strip() or "0"
    if not (value.isascii() and value.isdigit() and int(value[:9]) <= MOST_SEQUENCE and len(value) < 9):
        raise Refused(400, "bad_header", f"{name} must be 0 to {MOST_SEQUENCE}; got {value[:40]!r}.")
    return int(value)


def content_type(request: HttpRequest, *, is_draft: bool) -> str:
    found = (request.content_type or "").lower()
    if found in TYPES or (found == OCTETS and is_draft):
        return found
    allowed = ", ".join(TYPES)
    raise Refused(415, "unsupported_media_type", f"Send one of {allowed}; got {found[:80]!r}.")
