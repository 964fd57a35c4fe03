"""Which activation a webhook request comes from (reference `cdp.md` 4.4, check 3)."""

from __future__ import annotations

import hmac
import time
from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest

from cdp import configuration
from cdp.configuration import Activation
from personalization.basic_auth import basic_credentials

HEADERS = "X-CDP-Client-Id", "X-CDP-Client-Secret"
MOST_FAILURES = 10  # of an address in a minute
MINUTE = 60


class Denied(Exception):
    """No activation has these credentials, or none were sent."""


class Throttled(Exception):
    """Too many wrong ones came from this address."""


def activation_of(request: HttpRequest) -> Activation:
    """Raises :class:`Denied` and :class:`Throttled`."""
    found = matching(*presented(request))
    if found is not None:
        # Never held up by others: behind a proxy all callers have one address.
        return found
    key = failures_key(request)
    if int(cache.get(key, 0)) >= MOST_FAILURES:
        raise Throttled
    count_failure(key)
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
    """In the same time for an unknown id as for a wrong secret."""
    found = configuration.current().activations.get(client_id)
    expected = found.client_secret if found else "-"
    return found if equal(secret, expected) and found else None


def equal(one: str, other: str) -> bool:
    return hmac.compare_digest(sha256(one.encode()).digest(), sha256(other.encode()).digest())


def failures_key(request: HttpRequest) -> str:
    address = str(request.META.get("REMOTE_ADDR", ""))
    digest = sha256(address.encode()).hexdigest()[:32]
    return f"cdp-webhook-failures-{digest}-{int(time.time() // MINUTE)}"


def count_failure(key: str) -> None:
    cache.add(key, 0, timeout=2 * MINUTE)
    try:
        cache.incr(key)
    except ValueError:  # it was thrown away a moment ago
        cache.set(key, 1, timeout=2 * MINUTE)
