"""What holds for every request of the web port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from config import site_access
from config.http import own_base, seen_from
from config.site_access import SiteAccess

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

GetResponse = Callable[[HttpRequest], HttpResponse]


class WireLimits:
    """Refuses addresses over our limit (414) and chunked bodies (411), readably.

    WSGI servers hand a chunked body to Django as an empty one, so accepting it would lose data.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = len(request.META.get("RAW_URI") or request.get_full_path())
        if length > settings.MAX_URI_BYTES:
            return plain(
                f"The address is {length} bytes long; at most {settings.MAX_URI_BYTES} are allowed.",
                414,
            )
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            return plain("Send a Content-Length; chunked bodies are not accepted.", 411)
        if request.method not in METHODS:
            answer = plain(f"The method {str(request.method)[:20]!r} is not known here.", 405)
            answer["Allow"] = ", ".join(METHODS)
            return answer
        return self.get_response(request)


def plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")


class ContentPolicy(CSPMiddleware):
    """The policy of the settings, and the addresses that the sites file sends the tracker to.

    A collector on a port of its own, or an engine on another host, is another origin to the browser.
    """

    def get_policy_parts(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        parts = super().get_policy_parts(request, *args, **options)
        events, scripts = sorted(event_origins(request)), sorted(script_origins())
        added = {"connect-src": events, "img-src": events, "script-src": scripts}
        update = dict(parts.update or {})
        for directive, origins in added.items():
            if origins:
                update[directive] = [*update.get(directive, ()), *origins]
        parts.update = update
        return parts


def event_origins(request: HttpRequest) -> set[str]:
    try:
        host = request.get_host()
    except DisallowedHost:
        return set()  # the answer is an error page, which tracks nothing
    seen = {site.event_endpoint: seen_from(site.event_endpoint, host=host) for site in known_sites()}
    ours = {f"{request.scheme}:{own}" for own in seen.values() if own}
    return ours | {origin for url, own in seen.items() if own is None and (origin := origin_of(url))}


def script_origins() -> set[str]:
    addresses = (site.script_url for site in known_sites())
    return {origin_of(a if "//" in a else f"https://{a}") for a in addresses if a and not a.startswith("/")}


def known_sites() -> Iterator[SiteAccess]:
    try:
        yield from site_access.configured_sites()
    except ImproperlyConfigured:
        return  # a page must not fail because of the sites file; the checks name what is wrong


def origin_of(url: str) -> str:
    """Scheme, host and port; "" where that is the page's own."""
    parts = urlsplit(url)
    if not parts.netloc or url.rstrip("/") == own_base():
        return ""
    return f"{parts.scheme}://{parts.netloc}"
