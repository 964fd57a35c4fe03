"""What a sender gets back. The collector and the Django view render the same answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import NamedTuple

from tracking.fields import BadEvent

METHODS = "GET, HEAD, POST, OPTIONS"
# Any page may send events; there are no credentials, so no origin needs to be named.
COMMON_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    411: "length_required",
    413: "content_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    429: "too_many_events",
    431: "headers_too_large",
    500: "internal_error",
    503: "busy",
}


class Answer(NamedTuple):
    status: int
    content_type: str = ""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


NO_CONTENT = Answer(204)
PIXEL = Answer(200, "image/gif", base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"))


def preflight(methods: str) -> Answer:
    """What a browser asks before it sends from a page of another origin (Fetch, CORS-preflight)."""
    return Answer(
        204,
        headers=(
            ("Allow", methods),
            ("Access-Control-Allow-Methods", methods),
            ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
            ("Access-Control-Max-Age", "86400"),
        ),
    )


def success(headers: Mapping[str, str]) -> Answer:
    """204, or a transparent pixel for an `<img>` (its Accept names an image type first)."""
    return PIXEL if headers.get("accept", "").startswith("image/") else NO_CONTENT


def challenge(headers: Mapping[str, str]) -> str:
    """What a 401 must name (RFC 9110, 11.6.1): how to show the license key, by basic authentication.

    A browser would ask its visitor for a password over a picture or a beacon, so it is named a scheme that no
    browser knows; the event is refused just the same.
    """
    return f'{"LicenseKey" if is_browser(headers) else "Basic"} realm="events"'


def is_browser(headers: Mapping[str, str]) -> bool:
    agent = headers.get("user-agent", "").lower()
    return (
        agent.startswith("mozilla/") or "origin" in headers or headers.get("accept", "").startswith("image/")
    )


def refusal(reason: BadEvent, headers: Mapping[str, str]) -> Answer:
    """The sentence as text, or as JSON for those who accept JSON."""
    extra: tuple[tuple[str, str], ...] = (("Allow", reason.allow),) if reason.allow else ()
    if reason.status in (429, 503):
        # The tracker of a page of another origin reads only headers that are named to it.
        extra += (("Retry-After", "1"), ("Access-Control-Expose-Headers", "Retry-After"))
    if reason.status == 401:
        extra += (("WWW-Authenticate", challenge(headers)),)
    if "json" in headers.get("accept", ""):
        error = {"code": CODES.get(reason.status, "refused"), "message": reason.message, "fields": {}}
        return Answer(reason.status, "application/json", json.dumps({"error": error}).encode() + b"\n", extra)
    return Answer(reason.status, "text/plain; charset=utf-8", reason.message.encode() + b"\n", extra)
