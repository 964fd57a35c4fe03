"""Who looks at the page. Reference `client-protocol.md` 6.1, with our own cookie in place of the session id.

The cookie `lodestar_visitor` is random, first-party, 90 days, sliding; the tracker reads and writes the same
one. Cookies of older trackers are read once and taken over.

The cookie `lodestar_consent` says what the visitor decided: 1 for yes, 0 for no; the tracker writes it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

from config.customers import signing
from config.customers.directory import CustomerAccount, directory
from config.site_access import SiteAccess
from personalization.client import pages

COOKIE = "lodestar_visitor"
EARLIER_COOKIES = ("YCID", "recommendation-session-id")
CONSENT = "lodestar_consent"
NOBODY = "not_defined"  # what the engine calls a visitor who must not be followed
LIFETIME_SECONDS = 90 * 24 * 3600
ID = re.compile(r"[A-Za-z0-9_.~-]{8,64}")

GetResponse = Callable[[HttpRequest], HttpResponse]


def visitor_of(request: HttpRequest) -> str:
    """Return the raw user id for the engine: the account's number, else the visitor's random id.

    A new visitor gets an id here; :class:`VisitorCookie` sends it with the answer. Who has not consented is
    nobody, with an account too.
    """
    if not may_follow(request):
        return NOBODY
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        request._lodestar_account = True  # type: ignore[attr-defined]
        return str(user.pk)
    return anonymous_id(request)


def signature_of(site: SiteAccess, who: str) -> str:
    """The site's signature of an account's id, where its events and questions need one; else ""."""
    if not site.gate.signed_users or not signing.needs_signature(who):
        return ""
    return signing.user_signature(license_key=site.license_key, customer_id=site.customer_id, user=who)


def anonymous_id(request: HttpRequest) -> str:
    """Return the id of the browser, whoever is logged in."""
    known: str | None = getattr(request, "_lodestar_visitor", None)
    if known is None:
        known = from_cookies(request) or str(uuid.uuid4())
        request._lodestar_visitor = known  # type: ignore[attr-defined]
    return known


def may_follow(request: HttpRequest) -> bool:
    """Whether this visitor may be known: consent was given, or nobody asked for it and it was not refused."""
    site = pages.site_of(request)
    account = directory.find(str(site.customer_id)) if site else None
    decision = request.COOKIES.get(CONSENT)
    if account is not None and wishes_not(request, account):
        request._lodestar_unfollowed = request._lodestar_opted_out = True  # type: ignore[attr-defined]
        return False
    if decision in ("0", "1"):
        return decision == "1"
    if account is None or not account.consent_required:
        return True
    request._lodestar_unfollowed = True  # type: ignore[attr-defined]
    return False


def consent_required(site: SiteAccess) -> bool:
    """Of the sites that share a customer one that asks is enough, as for events; or the customer itself."""
    account = directory.find(str(site.customer_id))
    return site.consent_required if account is None else account.consent_required


def may_be_asked(request: HttpRequest) -> bool:
    """Whether who is nobody now may still consent on the page; a browser that opts out has answered."""
    return not hasattr(request, "_lodestar_opted_out")


def wishes_not(request: HttpRequest, account: CustomerAccount) -> bool:
    """Whether the browser asks not to be followed (DNT, Sec-GPC), and the customer honours how."""
    return any(request.headers.get(name, "").strip() == "1" for name in account.opt_out_headers)


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
        if visitor is not None or hasattr(request, "_lodestar_account"):
            patch_vary_headers(response, ["Cookie"])
            patch_cache_control(response, private=True)
        elif hasattr(request, "_lodestar_unfollowed") or CONSENT in request.COOKIES:
            patch_vary_headers(response, ["Cookie", "DNT", "Sec-GPC"])
        return response
