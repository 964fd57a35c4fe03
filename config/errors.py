"""Answers when a page does not exist or the database is away, in development too."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults

from config.faults import is_outage

logger = logging.getLogger("config")

NOT_FOUND = 404
RETRY_SECONDS = 5

GetResponse = Callable[[HttpRequest], HttpResponse]


class OwnErrors:
    """A visitor's page for what does not exist; 503 with Retry-After while the database does not answer.

    Django's page for developers names every address of the site, and it calls an outage an error of ours.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if settings.DEBUG and answer.status_code == NOT_FOUND and request.resolver_match is None:
            # No view was found that process_exception could speak for.
            return defaults.page_not_found(request, Http404())
        return answer

    def process_exception(self, request: HttpRequest, reason: Exception) -> HttpResponse | None:
        if isinstance(reason, Http404):
            return defaults.page_not_found(request, reason)
        if isinstance(reason, OperationalError | InterfaceError) and is_outage(reason):
            return away(reason)
        return None


def away(reason: Exception) -> HttpResponse:
    logger.error("The database does not answer: %s", str(reason).strip().partition("\n")[0])
    answer = HttpResponse(
        "The database does not answer. Try again in a few seconds.\n",
        status=503,
        content_type="text/plain; charset=utf-8",
    )
    answer["Retry-After"] = str(RETRY_SECONDS)
    answer["Cache-Control"] = "no-store"
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """The handler of what no view caught: middleware that met an outage, and mistakes of ours."""
    reason = sys.exc_info()[1]
    if isinstance(reason, OperationalError | InterfaceError) and is_outage(reason):
        return away(reason)
    return defaults.server_error(request)
