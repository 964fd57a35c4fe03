"""Signed requests: Standard Webhooks 1.0, on top of client id and secret.

``webhook-signature`` holds ``v1,`` and the base64 of HMAC-SHA256 over id, time and body with dots between
them; several of these, with spaces between them, while a secret is being replaced.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
TOLERANCE_SECONDS = 300
MOST_SIGNATURES = 10


class BadSignature(Exception):
    """The request is not signed as its activation wants it; the message says why."""


def key_of(secret: str) -> bytes:
    """The bytes of a secret as people write it. Raises ValueError, which does not repeat the secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"must be {PREFIX} and the base64 of {SHORTEST} to {LONGEST} bytes")
    return key


def check(headers: Mapping[str, str], body: bytes, *, secrets: Iterable[str], now: float) -> None:
    """Raises :class:`BadSignature`. ``now``: seconds since 1970."""
    number, sent, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (number and sent and given):
        raise BadSignature("Send the headers webhook-id, webhook-timestamp and webhook-signature.")
    if not (sent.isascii() and sent.isdigit() and len(sent) < 12):
        raise BadSignature(f"webhook-timestamp must be whole seconds since 1970; got {sent[:40]!r}.")
    if abs(now - int(sent)) > TOLERANCE_SECONDS:
        raise BadSignature(f"webhook-timestamp is over {TOLERANCE_SECONDS} seconds from now; got {sent}.")
    signatures = given.split()
    if len(signatures) > MOST_SIGNATURES:
        raise BadSignature(f"At most {MOST_SIGNATURES} signatures are read; got {len(signatures)}.")
    expected = [sign(number, sent, body, secret=one) for one in secrets]
    # All of them, so that the time says nothing of which one is right.
    found = [hmac.compare_digest(one.encode(), mine.encode()) for one in signatures for mine in expected]
    if not any(found):
        raise BadSignature("webhook-signature is not that of this body, id and time.")


def sign(number: str, sent: str, body: bytes, *, secret: str) -> str:
    """The signature of one secret, with its version."""
    content = f"{number}.{sent}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), content, sha256)).decode()
