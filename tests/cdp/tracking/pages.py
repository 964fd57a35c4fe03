"""Addresses of a site whose pages track; a test says what stands in their templates."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

TEMPLATES = {"django": "", "jinja2": ""}


def page(request: HttpRequest, engine: str) -> HttpResponse:
    template = engines[engine].from_string(TEMPLATES[engine])
    return HttpResponse(template.render({"item": "7"}, request))


urlpatterns = [
    path("page/<str:engine>/", page),
    path("", include("cdp.urls")),
    path("", include("tracking.urls")),
]
