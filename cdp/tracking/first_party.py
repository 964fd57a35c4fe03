"""The site's own pages: who looks at them, by cookie, session and login (reference `cdp.md` 6.2, hybrid)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse

from cdp.tracking import connector, destination, people
from cdp.tracking.destination import Destination
from cdp.tracking.message import Call
from personalization.client import pages
from personalization.client.visitor import CONSENT, COOKIE, EARLIER_COOKIES, from_cookies
from tracking.fields import BadEvent

SESSION = "lodestar_session"
SESSION_SECONDS = 20 * 60
SESSION_ID = re.compile(r"[0-9a-f]{32}")
SAME = frozenset({"same-origin", "none", ""})
REFUSAL_SECONDS = 390 * 86_400  # as the tracker keeps it


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """``account``: of who is logged in, else ""."""

    coid: str
    sid: str
    account: str = ""


def refuse_others(request: HttpRequest) -> None:
    """Pages of other sites must not speak for visitors of ours: the browser adds their cookies.

    Raises :class:`BadEvent` 403. What no browser sends has neither header.
    """
    origin = request.headers.get("Origin", "")
    if request.headers.get("Sec-Fetch-Site", "") not in SAME or (
        origin and urlsplit(origin).netloc != request.get_host()
    ):
        raise BadEvent(403, "this address takes events of its own site's pages only")


def destinations(request: HttpRequest) -> list[Destination]:
    """Of the customer that the page names, else of the site that serves this host."""
    named = request.GET.get("customer", "")
    site = None if named else pages.site_of(request)
    if not named and site is None:
        raise BadEvent(404, "customer must be given: no site of the sites file serves this host")
    return destination.of_customer(named or str(site.customer_id if site else ""))


def visitor(request: HttpRequest) -> Visitor:
    """Who it is; new ids are sent with the answer (:func:`remember`)."""
    user = getattr(request, "user", None)
    session = request.COOKIES.get(SESSION, "")
    return Visitor(
        coid=coid_of(request) or str(uuid.uuid4()),
        sid=session if SESSION_ID.fullmatch(session) else uuid.uuid4().hex,
        account=str(user.pk) if user is not None and user.is_authenticated else "",
    )


def coid_of(request: HttpRequest) -> str:
    return from_cookies(request) or ""


def completed(call: Call, who: Visitor) -> Call:
    """The call with what the server knows better than the page."""
    account = people.person("userid", who.account) or call.ruid
    return replace(call, coid=who.coid, sid=who.sid, ruid=account)


def remember(request: HttpRequest, response: HttpResponse, who: Visitor) -> None:
    """Renew both cookies; browsers keep those of a server for longer than those of a script."""
    secure = request.is_secure()
    # Not HttpOnly: the tracker reads the id from the cookie.
    response.set_cookie(COOKIE, who.coid, max_age=lifetime(request), samesite="Lax", secure=secure)
    response.set_cookie(
        SESSION, who.sid, max_age=SESSION_SECONDS, samesite="Lax", secure=secure, httponly=True
    )


def forget(request: HttpRequest, response: HttpResponse) -> None:
    """Delete every id, and keep the refusal."""
    for name in (COOKIE, *EARLIER_COOKIES, SESSION):
        response.delete_cookie(name, samesite="Lax")
    response.set_cookie(CONSENT, "0", max_age=REFUSAL_SECONDS, samesite="Lax", secure=request.is_secure())


def lifetime(request: HttpRequest) -> int:
    """Of the visitor's cookie, in seconds."""
    site = pages.site_of(request)
    found = connector.current().sites.get(site.name) if site else None
    return (found.cookie_id_lifetime_days if found else connector.DAYS) * 86_400
