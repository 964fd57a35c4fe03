"""``request.segments``: the identifiers of the visitor's segments, read when something asks.

``request.segments_key`` stands for all of them in the key of a cache.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import SimpleLazyObject

from personalization.segments import queries

GetResponse = Callable[[HttpRequest], HttpResponse]


class VisitorSegments:
    """Keeps answers that depend on segments out of shared caches (reference `cdp.md` 4.5, caching law)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.segments = SimpleLazyObject(lambda: queries.of_request(request).identifiers)  # type: ignore[attr-defined]
        request.segments_key = SimpleLazyObject(lambda: queries.cache_key(request))  # type: ignore[attr-defined]
        response = self.get_response(request)
        if queries.was_read(request):
            patch_vary_headers(response, ["Cookie"])
            patch_cache_control(response, private=True)
        return response
