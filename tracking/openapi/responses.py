"""What the tracking API answers."""

from __future__ import annotations

from typing import Any

from tracking.collector import answers
from tracking.collector.body import BIGGEST_BODY, BIGGEST_EVENT
from tracking.collector.path import LONGEST_TARGET

COMMITTED = {
    "204": "committed; also answered, with nothing stored, to HEAD, prefetching browsers, robots and events "
    "without user id",
    "200": "committed, with a transparent picture, where Accept begins with an image type",
    "204-preflight": "the methods and headers that a page of another origin may use",
    "200-batch": "all accepted events are committed; each event has its result",
}
# Status -> when it is answered.
REFUSED = {
    400: "a rule is broken, or the signature of a time of the past is wrong; the text names the parameter, "
    "the rule and the value",
    401: "the customer asks for its license key, and it was not sent or is wrong",
    403: "the customer takes no events from pages of this origin, or the signature of the user is wrong",
    404: 'unknown customer or event, with "did you mean"',
    405: "unknown method; a batch is sent by POST",
    408: "the request did not arrive in time",
    411: "the body has no Content-Length",
    413: f"the body of an event is larger than {BIGGEST_EVENT} bytes or that of a batch than "
    f"{BIGGEST_BODY} bytes, or the batch holds too many events",
    414: f"the address is longer than {LONGEST_TARGET} bytes",
    415: "the body is of a kind that is not read",
    429: "the customer's budget of events for this second is spent; send again after Retry-After",
    431: "the headers are too large",
    500: "a fault of this software, which its log names; please report it",
    503: "nothing could be stored now; send again after Retry-After",
}
ALWAYS = (400, 401, 403, 404, 405, 408, 414, 429, 431, 500, 503)
BODY = (411, 413, 415)
EVENT = ("204", "200", *ALWAYS)
BATCH = (*ALWAYS, *BODY)
PREFLIGHT = ("204-preflight", 400, 408, 414, 431)
RETRIED = frozenset({429, 503})


def of(*kinds: int | str) -> dict[str, Any]:
    """The answers of one operation by status."""
    found = {str(kind)[:3]: {"$ref": f"#/components/responses/{name_of(kind)}"} for kind in kinds}
    return dict(sorted(found.items()))


def name_of(kind: int | str) -> str:
    names = {"204": "committed", "200": "picture", "200-batch": "batch", "204-preflight": "preflight"}
    return names[kind] if isinstance(kind, str) else answers.CODES[kind]


def components() -> dict[str, Any]:
    """Every answer under its name."""
    batch = {"application/json": {"schema": {"$ref": "#/components/schemas/BatchAnswer"}}}
    picture = {"image/gif": {"schema": {"type": "string", "contentMediaType": "image/gif"}}}
    methods = {
        name: {"schema": {"type": "string"}, "description": "the methods to use"}
        for name in ("Allow", "Access-Control-Allow-Methods")
    }
    return {
        "committed": {"description": COMMITTED["204"]},
        "picture": {"description": COMMITTED["200"], "content": picture},
        "preflight": {"description": COMMITTED["204-preflight"], "headers": methods},
        "batch": {"description": COMMITTED["200-batch"], "content": batch},
        **{answers.CODES[status]: refusal(status, when) for status, when in REFUSED.items()},
    }


def refusal(status: int, when: str) -> dict[str, Any]:
    """A sentence, as text or as JSON for those who accept JSON."""
    found: dict[str, Any] = {
        "description": when,
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            "application/json": {"schema": {"$ref": "#/components/schemas/Error"}},
        },
    }
    if status in RETRIED:
        seconds = {"schema": {"type": "integer"}, "description": "seconds to wait"}
        found["headers"] = {"Retry-After": seconds}
    if status == 401:
        scheme = "Basic; for browsers, which would ask their visitor, LicenseKey"
        found["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": scheme}}
    if status == 405:
        found["headers"] = {"Allow": {"schema": {"type": "string"}, "description": "the methods to use"}}
    return found
