"""The documents themselves, and two pages that explain them: one to try things out, one to read."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import condition, require_safe

from config.openapi import Description, described


def found(name: str) -> Description:
    description = described().get(name)
    if description is None:
        raise Http404(f"There is no API called {name[:80]!r}. Known are: {', '.join(described())}.")
    return description


def etag(_request: HttpRequest, name: str) -> str:
    return found(name).etag


@require_safe
@condition(etag_func=etag)
def schema(_request: HttpRequest, name: str) -> HttpResponse:
    """Public: it says nothing of this installation. Tools of other origins may read it."""
    return HttpResponse(
        found(name).as_json,
        content_type="application/json",
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"},
    )


@require_safe
def index(_request: HttpRequest) -> HttpResponse:
    return redirect("openapi-try", name=next(iter(described())))


@require_safe
def swagger(request: HttpRequest, name: str) -> HttpResponse:
    """Swagger UI, to try an API out."""
    return explorer(request, name, "swagger")


# Redoc writes its style sheets itself and cannot be given a nonce; scripts stay as restricted as elsewhere.
@require_safe
@csp_replace({"style-src": [SELF, UNSAFE_INLINE]})  # type: ignore[arg-type]
def redoc(request: HttpRequest, name: str) -> HttpResponse:
    """Redoc, to read about an API."""
    return explorer(request, name, "redoc")


def explorer(request: HttpRequest, name: str, viewer: str) -> HttpResponse:
    context = {"api": found(name), "apis": described().values(), "viewer": viewer}
    return render(request, f"lodestar/explorer/{viewer}.html", context)
