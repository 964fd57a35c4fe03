"""The OpenAPI document under an address of its own, for whoever writes a client."""

from __future__ import annotations

from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

from tracking.openapi import document


def etag(_request: HttpRequest) -> str:
    return f'"{sha256(document.as_json()).hexdigest()[:32]}"'


@require_safe
@condition(etag_func=etag)
def tracking(_request: HttpRequest) -> HttpResponse:
    """Public: it says nothing of this installation. Tools of other origins may read it."""
    return HttpResponse(
        document.as_json(),
        content_type="application/json",
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"},
    )
