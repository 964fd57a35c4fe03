"""Who looks at the page. Reference `client-protocol.md` 6.1, with our own cookie in place of the session id.

The cookie `lodestar_visitor` is random, first-party, 90 days, sliding; the tracker reads and writes the same
one. Cookies of older trackers are read once and taken over.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

COOKIE = "lodestar_visitor"
EARLIER_COOKIES = ("YCID", "recommendation-session-id")
CONSENT = "lodestar_consent"
NOBODY = "not_defined"  # what the engine calls a visitor who must not be followed
LIFETIME_SECONDS = 90 * 24 * 3600
ID = re.compile(r"[A-Za-z0-9_.~-]{8,64}")

GetResponse = Callable[[HttpRequest], HttpResponse]


def visitor_of(request: HttpRequest) -> str:
    """Return the raw user id for the engine: the account's number, else the visitor's random id.

    A new visitor gets an id here; :class:`VisitorCookie` sends it with the answer.
    """
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return str(user.pk)
    return anonymous_id(request)


def anonymous_id(request: HttpRequest) -> str:
    """Return the id of the browser, whoever is logged in."""
    known: str | None = getattr(request, "_lodestar_visitor", None)
    if known is None:
        known = from_cookies(request) or str(uuid.uuid4())
        request._lodestar_visitor = known  # type: ignore[attr-defined]
    return known


def from_cookies(request: HttpRequest) -> str | None:
    for name in (COOKIE, *EARLIER_COOKIES):
        value = request.COOKIES.get(name, "")
        if ID.fullmatch(value):
            return value
    return None


class VisitorCookie:
    """Sends the visitor's id with every answer that was made for this visitor."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        visitor = getattr(request, "_lodestar_visitor", None)
        if visitor is not None:
            # Not HttpOnly: the tracker reads the id from the cookie.
            response.set_cookie(
                COOKIE, visitor, max_age=LIFETIME_SECONDS, samesite="Lax", secure=request.is_secure()
            )
            patch_vary_headers(response, ["Cookie"])
            patch_cache_control(response, private=True)
        return response
