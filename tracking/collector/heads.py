"""What is wrong with the head of a request, before anything of its body is read."""

from __future__ import annotations

from collections.abc import Mapping

from tracking.collector import body as bodies
from tracking.collector import path
from tracking.fields import BadEvent

MOST_BYTES = 32_768


def fault(
    url: bytes, headers: Mapping[str, str], *, length: str, hosts: int, version: str
) -> BadEvent | None:
    """``length``: Content-Length as sent, digits or nothing; ``hosts``: how many Host headers came."""
    if len(url) > path.LONGEST_TARGET:
        return path.too_long(len(url))
    if "transfer-encoding" in headers:
        if length:
            return BadEvent(400, "Content-Length and Transfer-Encoding must not come together")
        return BadEvent(411, bodies.UNMEASURED)
    if length and int(length) > (most := bodies.biggest(url)):
        return bodies.too_big(int(length), most=most)
    if version not in ("1.0", "1.1"):
        return BadEvent(400, "the request must be HTTP/1.1")
    if hosts > 1 or (not hosts and version == "1.1"):
        return BadEvent(400, "the request must have exactly one Host header")
    return None


def too_big(url: bytes) -> BadEvent:
    """The head as a whole; the address is named where it is the reason."""
    if len(url) > path.LONGEST_TARGET:
        return path.too_long(len(url))
    return BadEvent(431, f"the headers must be at most {MOST_BYTES} bytes long")
