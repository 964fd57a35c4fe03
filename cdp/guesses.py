"""Guessing credentials ends after ten failures in a minute (reference `cdp.md` 4.4, check 3).

Counted per address and name, and looked at before anything is compared: the right secret among many wrong
ones must not pass. Who uses the same name from another address is not held up.
"""

from __future__ import annotations

import time
from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest

MOST_FAILURES = 10
MINUTE = 60
RETRY_SECONDS = MINUTE  # for who is refused


def is_exhausted(request: HttpRequest, *, name: str) -> bool:
    """Whether too many failures came from this address. ``name``: whom it claims to be; "" is anybody."""
    return int(cache.get(key_of(request, name), 0)) >= MOST_FAILURES


def count(request: HttpRequest, *, name: str) -> None:
    """One more failure."""
    key = key_of(request, name)
    cache.add(key, 0, timeout=2 * MINUTE)
    try:
        cache.incr(key)
    except ValueError:  # it was thrown away a moment ago
        cache.set(key, 1, timeout=2 * MINUTE)


def key_of(request: HttpRequest, name: str) -> str:
    who = f"{request.META.get('REMOTE_ADDR', '')}\0{name}"
    digest = sha256(who.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"cdp-guesses-{digest}-{int(time.time() // MINUTE)}"
