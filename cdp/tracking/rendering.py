"""The tags: tracking code of a page, and what is done on it (reference `cdp.md` 6.2).

``client`` and ``hybrid`` write script; ``server`` takes the events while the page is rendered and writes
comments. What is wrong with a call is raised where ``strict_exceptions`` is on, else it is logged.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cdp.tracking import connector, destination, first_party, intake, said, sent
from cdp.tracking.connector import Connector
from cdp.tracking.destination import Destination
from cdp.tracking.intake import Sender
from cdp.tracking.message import Call
from config.site_access import SiteAccess
from personalization.client import pages, rendering, visitor
from tracking.fields import BadEvent

logger = logging.getLogger("cdp")

TEMPLATE = "lodestar/cdp_tracking.html"
PUSH = "(window.raptor = window.raptor || []).push({});"
Tag = Callable[..., SafeString]


class TrackingError(ValueError):
    """A tag that cannot track what it is told to; the message says why."""


def careful(tag: Tag) -> Tag:
    """Raise what is wrong with a call, or log it and write nothing."""

    @wraps(tag)
    def called(*arguments: Any, **options: Any) -> SafeString:
        try:
            return tag(*arguments, **options)
        except BadEvent as reason:
            if connector.current().strict:
                raise TrackingError(reason.message) from reason
            logger.warning("A page cannot track: %s", reason.message)
            return SafeString("")

    return called


@careful
def tracking_script(
    request: HttpRequest, *, has_consented: bool = False, account: int | None = None
) -> SafeString:
    """The script of the page; empty where the site's ``connector_raptor`` is not enabled.

    ``has_consented``: whether the visitor is known to have consented. Else nothing is stored or sent before
    the page dispatches ``enableTracking``. ``account``: another than the site's.
    """
    found = of_page(request)
    if found is None:
        return SafeString("")
    site, made = found
    request._lodestar_has_consented = has_consented  # type: ignore[attr-defined]
    if made.tracking_type == "server":
        return SafeString("<!-- Lodestar tracks this page on the server. -->")
    context = {
        "script_url": static("lodestar/raptor.js"),
        "mode": made.tracking_type,
        "account": account or made.customer_id,
        "customer_id": site.customer_id,
        "tracker_url": rendering.script_url(site),
        "endpoint": rendering.endpoint_for_browser(site, request=request),
        "currency": settings.ACCOUNT_CURRENCY,
        "consented": may_track(request),
        "nonce": rendering.nonce_of(request),
    }
    return rendering.render(TEMPLATE, context, request)


@careful
def track_event(request: HttpRequest, event: str, data: Any = None, **options: Any) -> SafeString:
    """Report what the visitor does; for ``data`` and ``options`` see :mod:`cdp.tracking.said`."""
    found = of_page(request)
    if found is None:
        return SafeString("")
    site, made = found
    lines = said.lines(request, event, data, options, site=site)
    into = destination.of_customer(str(site.customer_id))
    calls = [intake.examined(into, sent.call_of(event, line, now=now())) for line in lines]
    if made.tracking_type == "server":
        return on_the_server(request, into, calls)
    pushed = [PUSH.format(rendering.script_json(["trackEvent", event, line])) for line in lines]
    nonce = rendering.nonce_of(request)
    attribute = format_html(' nonce="{}"', nonce) if nonce else SafeString("")
    return format_html("<script{}>{}</script>", attribute, SafeString("".join(pushed)))


def of_page(request: HttpRequest) -> tuple[SiteAccess, Connector] | None:
    """The site of the page and how it tracks; None where it does not."""
    site = pages.site_of(request)
    made = connector.current().sites.get(site.name) if site else None
    if site is None or made is None or getattr(request, "is_preview", False):
        return None
    return site, made


def may_track(request: HttpRequest) -> bool:
    """What the visitor decided on a page before; else what the site says."""
    decided = request.COOKIES.get(visitor.CONSENT, "")
    return decided == "1" or (decided != "0" and getattr(request, "_lodestar_has_consented", False))


def on_the_server(request: HttpRequest, into: Sequence[Destination], calls: Sequence[Call]) -> SafeString:
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not may_track(request):
        return SafeString("<!-- Not tracked: no consent. -->")
    who = first_party.visitor(request)
    if not intake.opts_out(into[0], headers):
        who = replace(who, coid=visitor.anonymous_id(request))
    completed = [first_party.completed(one, who) for one in calls]
    stored = intake.take(into, completed, Sender(headers=headers, consent="1"), now=now())
    return format_html("<!-- Tracked: {}. -->", stored)


def now() -> int:
    return time.time_ns() // 1000
