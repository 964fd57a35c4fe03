"""Who sent it: ids as they are sent, and what the person said of being followed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cdp.profiles import identifiers
from cdp.profiles.identifiers import BadIdentifier
from cdp.profiles.models import Account, ProfileIdentifier, Suppression
from cdp.tracking.message import Call
from tracking.fields import BadEvent


def device(name: str, value: str) -> str:
    """The id of a device in its one spelling; "" where there is none. It is never shown back."""
    return named(name, identifiers.COOKIE, value)


def person(name: str, value: str) -> str:
    """The id of an account, likewise."""
    return named(name, identifiers.USER, value)


def named(name: str, kind: str, value: str) -> str:
    if not value.strip():
        return ""
    try:
        found = identifiers.normal(kind, value)
    except BadIdentifier as rule:
        raise BadEvent(400, f"{name} {rule}") from None
    return "" if identifiers.is_nobody(found) else found


def encoded(value: str) -> str:
    """The account behind ``ruid``, which is base64, of either alphabet, with or without padding."""
    if not value:
        return ""
    plain = value.strip().replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        text = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadEvent(400, "ruid must be the user's id in base64") from None
    return person("ruid", text)


def withdrawn(account: Account, calls: Sequence[Call]) -> set[str]:
    """The devices among them that are not to be followed any more: withdrawn, or erased."""
    keys = {
        identifiers.digest(account.number, identifiers.COOKIE, one.coid): one.coid
        for one in calls
        if one.coid
    }
    if not keys:
        return set()
    known = ProfileIdentifier.objects.filter(
        account=account, kind=identifiers.COOKIE, digest__in=keys, active=False
    )
    gone = Suppression.objects.filter(account=account, kind=identifiers.COOKIE, digest__in=keys)
    return {keys[one] for rows in (known, gone) for one in rows.values_list("digest", flat=True)}
