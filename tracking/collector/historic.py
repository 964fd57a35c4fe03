"""`overridetimestamp` with its signature: how history is replayed through the ordinary address.

The algorithm is the vendor's (engine-protocol, 1.5): MD5 over item, license key and parameters. It needs the
key in clear, which we have only for customers of the sites file; others import files.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote

from config.customers import signing
from tracking.fields import BadEvent, shown

EARLIEST_YEAR = 1990
TOLERANCE_SECONDS = 300
EMPTY = {"", "null", "undefined"}


def moment(text: str, *, now: int) -> int:
    """`2012-01-01T11:00:00` (UTC) in microseconds. ``now`` in microseconds."""
    try:
        when = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise BadEvent(400, f"overridetimestamp must be a date that exists; got {shown(text)}") from None
    micros = int(when.timestamp()) * 1_000_000
    if when.year < EARLIEST_YEAR or micros > now + TOLERANCE_SECONDS * 1_000_000:
        raise BadEvent(
            400, f"overridetimestamp must be between {EARLIEST_YEAR} and now (UTC); got {shown(text)}"
        )
    return micros


def check_signature(customer_id: str, *, item: str, parameters: list[tuple[str, str]]) -> None:
    """Raise unless ``signature`` was made with one of the customer's license keys.

    ``item``: `<itemtype>&<itemid>` as sent. ``parameters``: decoded, all of the request.
    """
    given = dict(parameters).get("signature", "")
    if not given:
        raise BadEvent(400, "overridetimestamp must come with signature")
    keys = signing.license_keys(customer_id)
    if not keys:
        raise BadEvent(
            400,
            "overridetimestamp is accepted only for customers of the sites file; use manage.py import_events",
        )
    if not any(
        hmac.compare_digest(given, made) for key in keys for made in signatures(item, key, parameters)
    ):
        raise BadEvent(
            400, "signature must be the MD5 of item, license key and parameters; it does not match"
        )


def signatures(item: str, key: str, parameters: list[tuple[str, str]]) -> tuple[str, str]:
    """The signature over encoded values (documented) and over raw ones (a plug-in's variant)."""
    signed = sorted((n, v) for n, v in parameters if n != "signature" and v not in EMPTY)
    encoded = "&".join(f"{name}={quote(value, safe='')}" for name, value in signed)
    raw = "&".join(f"{name}={value}" for name, value in signed)
    return md5(f"{item}&{key}&{encoded}"), md5(f"{item}&{key}&{raw}")


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
