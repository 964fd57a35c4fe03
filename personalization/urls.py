"""Both halves of personalization, on one port."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("personalization.client.urls")),
    path("", include("personalization.segments.urls")),
    path("", include("personalization.server.urls")),
]
