"""The way of a call for recommendations through the web port."""

from __future__ import annotations

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from config.errors import away
from config.faults import is_outage
from personalization.server.urls import CALLS

GetResponse = Callable[[HttpRequest], HttpResponse]


class CallsFirst:
    """Hands calls to their view before sessions, languages and policies of pages, none of which they have.

    Those, and finding the address among all others, took a fifth of a call's processor time. It stands behind
    the limits of the wire and the redirect to https, which bind calls too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match = CALLS.resolve(request.path_info.removeprefix("/"))
        if match is None:
            return self.get_response(request)
        request.get_host()  # refuses what ALLOWED_HOSTS does not name, as for every other address
        try:
            answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except (OperationalError, InterfaceError) as reason:
            if is_outage(reason):
                return away(reason)
            raise
        return answer
