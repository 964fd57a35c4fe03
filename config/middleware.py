"""What holds for every request of the web port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost, ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.encoding import iri_to_uri

from config import site_access
from config.http import seen_from

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

GetResponse = Callable[[HttpRequest], HttpResponse]


def raw_target(request: HttpRequest) -> bytes:
    """The target as it was sent. Django's path is decoded, and `a%2Fb` would be two parts in it."""
    raw = request.META.get("RAW_URI")
    return (raw or iri_to_uri(request.get_full_path()) or "").encode("latin-1", "replace")


class WireLimits:
    """Refuses addresses over our limit (414) and chunked bodies (411), readably.

    WSGI servers hand a chunked body to Django as an empty one, so accepting it would lose data.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        target = raw_target(request)
        if len(target) > settings.MAX_URI_BYTES:
            return plain(
                f"The address is {len(target)} bytes long; at most {settings.MAX_URI_BYTES} are allowed.",
                414,
            )
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            return plain("Send a Content-Length; chunked bodies are not accepted.", 411)
        if request.method not in METHODS:
            answer = plain(f"The method {str(request.method)[:20]!r} is not known here.", 405)
            answer["Allow"] = ", ".join(METHODS)
            return answer
        answer = self.get_response(request)
        if request.method == "HEAD":
            drop_body(answer)
        return answer


def drop_body(answer: HttpResponseBase) -> None:
    """The server would do it too, with a warning for every request; Content-Length stays what it was."""
    if isinstance(answer, StreamingHttpResponse):
        answer.streaming_content = ()
    elif isinstance(answer, HttpResponse):
        answer.content = b""


def plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8")


class NoNul:
    """Refuses a NUL in the address: PostgreSQL takes none in any value, so a look-up by it would be a 500.

    Stands behind the event intake, which says so in the words of its protocol.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        target = raw_target(request)
        if b"%00" in target or b"\0" in target:
            return plain("The address must not contain a NUL byte (%00).", 400)
        return self.get_response(request)


class ContentPolicy(CSPMiddleware):
    """The policy of the settings, and the addresses that the sites file sends the tracker to.

    A collector on a port of its own, or an engine on another host, is another origin to the browser.
    """

    def get_policy_parts(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        parts = super().get_policy_parts(request, *args, **options)
        update = dict(parts.update or {})
        for directive, origins in other_origins(request).items():
            update[directive] = [*update.get(directive, ()), *origins]
        parts.update = update
        return parts


def other_origins(request: HttpRequest) -> Mapping[str, tuple[str, ...]]:
    """Directive -> origins beside the page's own that its tracker talks to."""
    try:
        file, host = site_access.current_file(), request.get_host()
    except (ImproperlyConfigured, DisallowedHost):
        return {}  # the page tracks nothing, but must not fail; the checks name what is wrong
    if not file.own_collector:
        return file.policy
    collector = f"{request.scheme}:{seen_from(file.own_collector, host=host)}"
    return file.policy | {
        directive: (*file.policy.get(directive, ()), collector) for directive in ("connect-src", "img-src")
    }
