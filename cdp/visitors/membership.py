"""The membership API of a platform, ours or another's, asked while a page is made (reference `cdp.md` 4.8).

A page waits half a second at most; a platform that fails five times in a row is left alone for a minute.
"""

from __future__ import annotations

from urllib.parse import urlencode

import orjson

from cdp.written import Membership
from config.http import OutgoingError, SafeClient, breaker, own_base

SECONDS = 0.5
LEFT_ALONE_SECONDS = 60.0
MOST_BYTES = 256 * 1024
KIND = "coid"  # what the platform calls the id of a browser

client = SafeClient(purpose="Membership API", budget=SECONDS, max_bytes=MOST_BYTES)


class MembershipApiError(Exception):
    """The platform did not say who the visitor is; the message says why."""


class LeftAlone(MembershipApiError):
    """It failed too often and is not asked for now."""


def audiences_of(visitor: str, *, membership: Membership) -> list[str]:
    """The ids of the audiences that a browser's id is in. Raises :class:`MembershipApiError`."""
    base = (membership.endpoint or own_base()).rstrip("/")
    key = f"the membership API of {base}"
    try:
        breaker.before(key)
    except OutgoingError as fault:
        raise LeftAlone(str(fault)) from None
    is_good = False
    try:
        found = asked(f"{base}/api/v3/memberships/{KIND}", visitor, membership=membership)
        is_good = True
    finally:
        breaker.after(key, good=is_good, seconds=LEFT_ALONE_SECONDS)
    return found


def asked(url: str, visitor: str, *, membership: Membership) -> list[str]:
    headers = {"x-activation-id": membership.activation_id, "x-api-key": membership.api_key}
    try:
        query = urlencode({"identifierValue": visitor})
        answer = client.request("GET", f"{url}?{query}", headers=headers, trusted=True)
    except OutgoingError as fault:
        raise MembershipApiError(str(fault)) from None
    if answer.status != 200:
        raise MembershipApiError(f"It answered {answer.status}.")
    try:
        return [str(one["id"]) for one in orjson.loads(answer.body)["memberships"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise MembershipApiError('Its answer is not {"memberships": [{"id": ...}]}.') from None
