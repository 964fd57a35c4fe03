"""What holds for every request of the web port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from config import site_access

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

    def get_policy_parts(self, *args: Any, **options: Any) -> Any:
        parts = super().get_policy_parts(*args, **options)
        update = dict(parts.update or {})
        for directive, origins in foreign_origins().items():
            update[directive] = [*update.get(directive, ()), *origins]
        parts.update = update
        return parts


def foreign_origins() -> Mapping[str, tuple[str, ...]]:
    """Directive -> origins that the sites file adds to it; worked out once for each reading of the file."""
    try:
        return site_access.current_file().policy
    except ImproperlyConfigured:
        return {}  # a page must not fail because of the sites file; the checks name what is wrong
