"""What visitors say of being followed, and its withdrawal (reference `cdp.md` 6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson
from django.db import transaction

from cdp.profiles import consent, identifiers
from cdp.profiles.models import Account, Consent
from cdp.tracking.forget import forget
from cdp.tracking.message import Call
from config.nesting import MOST_DEPTH, is_deep
from tracking.fields import BadEvent, shown

PURPOSES = ("statistics", "personalisation", "marketing")
STATUSES = ("granted", "denied", "revoked")
LASTS = timedelta(days=730)
SOURCE = "tracking"
MOST_BYTES = 4_096


def note(profile: int, call: Call) -> None:
    """Keep what was said to each purpose. ``profile``: its key."""
    at = datetime.fromtimestamp(call.ts / 1_000_000, UTC)
    for purpose, status in call.purposes.items():
        Consent.objects.get_or_create(
            profile_id=profile,
            purpose=purpose,
            status=status,
            given_at=at,
            defaults={"source": SOURCE, "expires_at": at + LASTS},
        )


def read(body: bytes, *, opted_out: bool) -> tuple[dict[str, str], str]:
    """Purpose -> status, and the device: ``{"status": "granted", "purposes": [...], "coid": "..."}``.

    Without ``purposes`` all are meant. ``opted_out``: by Global Privacy Control, which denies marketing.
    Raises :class:`BadEvent`.
    """
    if len(body) > MOST_BYTES:
        raise BadEvent(413, f"the body must be at most {MOST_BYTES} bytes long; got {len(body)} bytes")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as reason:
        raise BadEvent(400, f"the body is not valid JSON: {shown(str(reason))}") from None
    if is_deep(document):
        raise BadEvent(400, f"the body's JSON is too deep (max {MOST_DEPTH})")
    if not isinstance(document, dict):
        raise BadEvent(400, "the body must be a JSON object")
    status, purposes, coid = (
        document.get("status"),
        document.get("purposes", list(PURPOSES)),
        document.get("coid", ""),
    )
    if status not in STATUSES:
        raise BadEvent(400, f"status must be one of {', '.join(STATUSES)}; got {shown(str(status))}")
    if not isinstance(purposes, list) or not purposes or not all(one in PURPOSES for one in purposes):
        raise BadEvent(400, f"purposes must be a list of {', '.join(PURPOSES)}; got {shown(str(purposes))}")
    if not isinstance(coid, str):
        raise BadEvent(400, "coid must be a text")
    found: dict[str, str] = dict.fromkeys(purposes, str(status))
    if opted_out and "marketing" in found and status == "granted":
        found["marketing"] = "denied"
    return found, coid


def is_withdrawal(purposes: Mapping[str, str]) -> bool:
    """Whether nothing is left that the device may be followed for."""
    return all(purposes.get(one, "granted") != "granted" for one in PURPOSES)


def is_grant(purposes: Mapping[str, str]) -> bool:
    """Whether somebody said yes to anything, in so many words."""
    return "granted" in purposes.values()


def give_again(account: Account, call: Call) -> None:
    """Follow a device again that was withdrawn, not one that was erased; at once, as :func:`withdraw`."""
    with transaction.atomic():
        for profile in consent.mark_device(account, call.coid, active=True):
            note(profile, call)


def withdraw(account: Account, call: Call) -> None:
    """Follow this device no more: its later events are not stored, and what waits of it goes."""
    with transaction.atomic():
        for profile in consent.mark_device(account, call.coid, active=False):
            note(profile, call)
    digest = identifiers.digest(account.number, identifiers.COOKIE, call.coid)
    forget(account, {(identifiers.COOKIE, digest)})
