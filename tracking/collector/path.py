"""Raw request target -> parts. Works on bytes, because `a%2Fb` is one user id and not two path parts.

Every web server and framework decodes the path before routing; here a part is decoded only after the
split. Costs grow linearly with the length, and nothing but :class:`BadEvent` is raised.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from tracking.fields import BadEvent

LONGEST_TARGET = 8_000
MOST_PARAMETERS = 100  # of the address, or of the body; no event has half as many
# Solution ids of old integrations stand where `api` stands today.
PREFIXES = frozenset({b"api", b"ebl", b"ebh", b"newsl", b"newsh", b"news"})
BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Parts(NamedTuple):
    """The still encoded pieces of an event address."""

    customer: bytes
    event: bytes
    rest: list[bytes]
    query: bytes


def split(target: bytes) -> Parts:
    """Cut a request target (`/api/<customer>/<event>/...?...`) into its parts, still percent-encoded."""
    if len(target) > LONGEST_TARGET:
        raise too_long(len(target))
    refuse_forbidden_bytes(target)
    path, _, query = target.partition(b"?")
    if not path.startswith(b"/"):
        path = without_origin(path)
    pieces = path.split(b"/")
    if len(pieces) < 4 or pieces[1] not in PREFIXES:
        raise BadEvent(
            404, "this address takes events: /api/{customerid}/{event}/{userid}/{itemtypeid}/{itemid}"
        )
    return Parts(pieces[2], pieces[3], pieces[4:], query)


def too_long(length: int) -> BadEvent:
    return BadEvent(414, f"the address must be at most {LONGEST_TARGET} bytes long; got {length} bytes")


def refuse_forbidden_bytes(target: bytes) -> None:
    if b"\\" in target or b"%5c" in target or b"%5C" in target:
        raise BadEvent(400, "the address must not contain a backslash, encoded as %5C or not")
    if b"\0" in target or b"%00" in target:
        raise BadEvent(400, "the address must not contain a NUL byte (%00)")
    if b"%" in target and BROKEN_ESCAPE.search(target):
        raise BadEvent(400, "a % in the address must be followed by two hexadecimal digits; encode it as %25")


def without_origin(path: bytes) -> bytes:
    """`http://host/api/...` (what proxies are sent) -> `/api/...`."""
    scheme, separator, rest = path.partition(b"://")
    if not separator or scheme.lower() not in (b"http", b"https"):
        raise BadEvent(400, "the address must start with a slash")
    _host, slash, tail = rest.partition(b"/")
    return slash + tail


def decode(raw: bytes, name: str) -> str:
    """One percent-encoded part as text. ``name`` is for the message."""
    try:
        return (unquote_to_bytes(raw) if b"%" in raw else raw).decode()
    except UnicodeDecodeError:
        raise BadEvent(400, f"{name} is not valid UTF-8") from None


def pairs(query: bytes) -> list[tuple[str, bytes]]:
    """The names (decoded) and values (still encoded) of a query string or form body, in order."""
    refuse_many(query.count(b"&") + 1)
    found = []
    for piece in query.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            found.append((decode(name, "a parameter name"), value))
    return found


def refuse_many(parameters: int) -> None:
    if parameters > MOST_PARAMETERS:
        raise BadEvent(400, f"an event has at most {MOST_PARAMETERS} parameters; got {parameters}")


def decode_value(raw: bytes, name: str) -> str:
    """A query value as text; here a plus sign is a blank, as forms and URLSearchParams write it."""
    return decode(raw.replace(b"+", b" ") if b"+" in raw else raw, name)
