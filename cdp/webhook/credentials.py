"""Which activation a webhook request comes from (reference `cdp.md` 4.4, check 3)."""

from __future__ import annotations

import hmac
from hashlib import sha256

from django.http import HttpRequest

from cdp import configuration, guesses
from cdp.configuration import Activation
from personalization.basic_auth import basic_credentials

HEADERS = "X-CDP-Client-Id", "X-CDP-Client-Secret"
ANYBODY = "webhook of any client"


class Denied(Exception):
    """No activation has these credentials, or none were sent."""


class Throttled(Exception):
    """Too many wrong ones came from this address."""


def activation_of(request: HttpRequest) -> Activation:
    """Raises :class:`Denied` and :class:`Throttled`."""
    client_id, secret = presented(request)
    name = f"webhook {client_id}"
    if guesses.is_exhausted(request, name=name):
        raise Throttled
    found = matching(client_id, secret)
    if found is not None:
        # Never held up by what is wrong under other names: behind a proxy all callers have one address.
        return found
    if guesses.is_exhausted(request, name=ANYBODY):
        raise Throttled
    for one in (name, ANYBODY):
        guesses.count(request, name=one)
    raise Denied


def presented(request: HttpRequest) -> tuple[str, str]:
    """Client id and secret; two empty strings where there are none, or two that differ."""
    basic = basic_credentials(request)
    named = request.headers.get(HEADERS[0], ""), request.headers.get(HEADERS[1], "")
    if "Authorization" in request.headers and any(named):
        return basic if same(*basic, *named) else ("", "")
    return basic if any(basic) else named


def same(client: str, secret: str, other_client: str, other_secret: str) -> bool:
    return equal(client, other_client) & equal(secret, other_secret)


def matching(client_id: str, secret: str) -> Activation | None:
    """In the same time for an unknown id as for a wrong secret, and for one live secret as for two."""
    found = configuration.current().activations.get(client_id)
    live = found.client_secret if found else ("-",)
    fits = [equal(secret, live[0]), equal(secret, live[-1])]
    return found if any(fits) and found else None


def equal(one: str, other: str) -> bool:
    return hmac.compare_digest(sha256(one.encode()).digest(), sha256(other.encode()).digest())
