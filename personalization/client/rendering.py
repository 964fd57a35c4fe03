"""What template functions of both engines share: tracking code and rendered recommendations."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from config import http
from config.customers.signing import PARAMETER
from config.site_access import SiteAccess
from personalization.client import pages, recommend, visitor
from personalization.client.answers import Recommendation

TEMPLATE = "lodestar/recommendations.html"
TRACKING_TEMPLATE = "lodestar/tracking.html"
# What would end a script element or a JavaScript string inside of it.
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A list of recommendations as it was asked for. ``seconds``: until the items were there."""

    scenario: str
    items: Sequence[Recommendation]
    seconds: float


# What stands below each list: set by an application above, which knows more than the connector does.
beside: Callable[[Shown], SafeString] | None = None


def enabled(request: HttpRequest) -> bool:
    """Whether the page's site has credentials of an engine."""
    return pages.site_of(request) is not None


def track_user(request: HttpRequest, content: Any = None, *, cacheable: bool = False) -> SafeString:
    """The tracking code of a page (reference 6.3), empty where nothing may be tracked.

    ``content``: the page or content id that the visitor looks at. Without an item of an included type
    the tracker is loaded for clicks on recommendations and tracks no view. ``cacheable``: the same for every
    visitor, whom the tracker then knows by its own cookie alone, accounts too.
    """
    site = pages.site_of(request)
    if site is None or getattr(request, "is_preview", False):
        return SafeString("")
    who = "" if cacheable else tracked(request, site=site)
    views = views_of(request, content, site=site, who=who)
    logins = [] if cacheable else login_of(request, who, site=site)
    commands: list[list[Any]] = [["_setMandator", str(site.customer_id)], *logins, *views]
    return render(
        TRACKING_TEMPLATE,
        {
            "script_url": script_url(site),
            "customer_id": site.customer_id,
            "endpoint": endpoint_for_browser(site, request=request),
            "commands": script_json(commands),
            "consent_required": visitor.consent_required(site),
            "pixel": pixel_of(views, site=site, request=request),
            "nonce": nonce_of(request),
        },
        request,
    )


def tracked(request: HttpRequest, *, site: SiteAccess) -> str:
    """Whom the tracker reports; "" is whoever its own cookie names."""
    who = visitor.visitor_of(request)
    if who == visitor.NOBODY and not site.script_url and visitor.may_be_asked(request):
        return ""  # our tracker waits for consent and knows the visitor from then on
    return who


def views_of(request: HttpRequest, content: Any, *, site: SiteAccess, who: str) -> list[list[Any]]:
    """The commands that report a view of ``content``, if it is an item of an included type."""
    language = pages.language_of(request)
    item = pages.item_of(request, content, language=language)
    if item is None or item.item_type not in site.included_item_types:
        return []
    kind, number = str(item.item_type_id), str(pages.wire_id(item, site=site))
    path = recommend.parent_path(item.category_paths[0]) if item.category_paths else ""
    query = f"?lang={language}" + (f"&categorypath={path}" if path else "")
    if signature := visitor.signature_of(site, who):
        query += f"&{PARAMETER}={signature}"
    milliseconds = str(site.consume_timeout * 1000)
    return [
        ["_trackEvent", kind, "click", number, who, query],
        ["_trackTimedEvent", kind, "consume", number, milliseconds, who, query],
    ]


def pixel_of(views: list[list[Any]], *, site: SiteAccess, request: HttpRequest) -> str:
    """The address of a picture that reports the view where scripts are blocked.

    Empty without a view, and where the visitor may not be followed: a picture cannot ask.
    """
    decision = request.COOKIES.get(visitor.CONSENT)
    if not views or decision == "0":
        return ""
    _command, kind, event, number, who, query = views[0]
    if who in ("", visitor.NOBODY):
        return ""
    parts = (str(site.customer_id), event, who, kind, number)
    address = "/".join(quote(part, safe="") for part in parts)
    consent = "&consent=1" if decision == "1" else ""
    endpoint = endpoint_for_browser(site, request=request)
    return f"{endpoint}/api/{address}{quote(query, safe='?&=/')}{consent}"


def login_of(request: HttpRequest, who: str, *, site: SiteAccess) -> list[list[Any]]:
    """The command that joins the browser's id and the account, once per session."""
    anonymous = visitor.from_cookies(request)
    session = getattr(request, "session", None)
    if session is None or not anonymous or who in ("", visitor.NOBODY, anonymous):
        return []
    if session.get("lodestar_login") == who:
        return []
    session["lodestar_login"] = who
    signature = visitor.signature_of(site, who)
    return [["_login", anonymous, who, *([f"?{PARAMETER}={signature}"] if signature else [])]]


def script_url(site: SiteAccess) -> str:
    """Our own tracker, or the one that the sites file names without a scheme."""
    if not site.script_url:
        return static("lodestar/tracker.js")
    return site.script_url if site.script_url.startswith(("/", "https://")) else f"https://{site.script_url}"


def endpoint_for_browser(site: SiteAccess, *, request: HttpRequest) -> str:
    """Where the browser sends events; "" is the page's own origin, whatever name it is open under."""
    own = http.seen_from(site.event_endpoint, host=request.get_host())
    return site.event_endpoint.rstrip("/") if own is None else own


def script_json(value: Any) -> SafeString:
    """JSON that may stand inside a script element."""
    text = orjson.dumps(value).decode()
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return mark_safe(text)  # noqa: S308 - every character that HTML gives a meaning is escaped


def nonce_of(request: HttpRequest) -> str:
    # Asking makes it: before that, django-csp's lazy object counts as false.
    return str(getattr(request, "csp_nonce", ""))


def show_recommendations(
    request: HttpRequest,
    scenario: str,
    *,
    template: str = TEMPLATE,
    title: str = "",
    **options: Any,
) -> SafeString:
    """Recommendations as HTML, made with ``template``; empty when there are none.

    ``options`` are those of :func:`personalization.client.recommend.recommendations`.
    """
    begun = time.monotonic()
    items = recommend.recommendations(request, scenario, **options)
    seconds = time.monotonic() - begun
    more = beside(Shown(scenario=scenario, items=items, seconds=seconds)) if beside else SafeString("")
    if not items:
        return more
    context = {
        "recommendations": items,
        "templateId": str(uuid.uuid4()),
        "scenario": scenario,
        "title": title,
        "source": "fallback" if any(one.is_fallback for one in items) else "engine",
        "reason": common_reason(items),
    }
    return render(template, context, request) + more


def common_reason(items: Sequence[Recommendation]) -> str:
    """What is true of the whole list; items with reasons of their own say them one by one."""
    first = items[0].reason
    return first if all(one.reason == first for one in items) else ""


def render(template: str, context: dict[str, Any], request: HttpRequest) -> SafeString:
    return mark_safe(render_to_string(template, context, request=request))  # noqa: S308 - templates escape
