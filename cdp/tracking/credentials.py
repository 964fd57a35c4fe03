"""The write key of the public grammar: the license key of a customer that feeds an account.

Such calls say who people are, so they come from servers alone: a key in a page would be everybody's.
"""

from __future__ import annotations

import time
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest

from cdp.tracking import destination
from cdp.tracking.destination import Destination
from config.customers.directory import directory
from personalization.basic_auth import basic_credentials
from tracking.fields import BadEvent

MOST_FAILURES = 10  # of an address in a minute
MINUTE = 60
KEY = "writeKey"


def destinations(request: HttpRequest, document: Any) -> list[Destination]:
    """Raises :class:`BadEvent` 401, 404 and 429.

    Basic authentication with the key as the user, or with customer id and key; or ``writeKey`` in the body.
    """
    customer_id, key = presented(request, document)
    matching = [
        one.customer_id
        for one in directory.all()
        if key and one.accepts(key) and customer_id in ("", one.customer_id)
    ]
    if matching:
        return [found for one in matching for found in destination.of_customer(one)]
    refuse_many(request)
    raise BadEvent(
        401, "writeKey must be the license key of a customer, by basic authentication or in the body"
    )


def presented(request: HttpRequest, document: Any) -> tuple[str, str]:
    """Customer id, "" where it is not said, and key."""
    user, password = basic_credentials(request)
    if user:
        return (user, password) if password else ("", user)
    written = document.get(KEY) if isinstance(document, dict) else None
    return "", written if isinstance(written, str) else ""


def refuse_many(request: HttpRequest) -> None:
    """Raise :class:`BadEvent` 429 for an address that guesses."""
    address = sha256(str(request.META.get("REMOTE_ADDR", "")).encode()).hexdigest()[:32]
    name = f"cdp-write-key-failures-{address}-{int(time.time() // MINUTE)}"
    failures = int(cache.get(name, 0))
    if failures >= MOST_FAILURES:
        raise BadEvent(429, "too many wrong write keys; wait a minute")
    cache.set(name, failures + 1, timeout=2 * MINUTE)
