"""The redirects that editors keep in the back office, while the database answers."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from wagtail.contrib.redirects.middleware import RedirectMiddleware

from config.errors import away
from config.faults import is_outage


class Redirects(RedirectMiddleware):  # type: ignore[misc]
    """Wagtail's, which looks every 404 up after all views: an outage it meets is past process_exception."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            answer: HttpResponse = super().process_response(request, response)
        except (OperationalError, InterfaceError) as reason:
            if not is_outage(reason):
                raise
            return away(reason)
        return answer
