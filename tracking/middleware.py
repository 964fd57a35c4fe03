"""The way of an event through the web port."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from config.middleware import drop_body
from tracking import views
from tracking.collector.path import PREFIXES

MAY_BE_AN_EVENT = tuple(f"/{prefix.decode()}/" for prefix in sorted(PREFIXES))
# Of the second version of the recommendation API: no customer is called v2, and the look costs 0.1 ms.
CALLS = tuple(f"{prefix}v2/" for prefix in MAY_BE_AN_EVENT)

GetResponse = Callable[[HttpRequest], HttpResponse]


class EventsFirst:
    """Hands events to their view before anything asks for the host, the session or the language.

    The collector takes events under every host name, since nothing of its answers depends on it; with
    ALLOWED_HOSTS in between, the same event would be stored on one port and refused as HTML on the other.
    For the same reason it stands before the redirect to https, which would name the sender's Host; and before
    the limits of other addresses, for a page of another origin can read only the intake's own refusals.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith(MAY_BE_AN_EVENT) and not path.startswith(CALLS) and is_event(path):
            answer = views.event(request)
            if request.method == "HEAD":
                drop_body(answer)
            return answer
        return self.get_response(request)


def is_event(path: str) -> bool:
    """Whether the addresses of all parts leave this one to the event intake."""
    try:
        return resolve(path).func is views.event
    except Resolver404:
        return False
