"""Both halves of personalization, on one port."""

from __future__ import annotations

from django.urls import include, path

from personalization import debug_bar

urlpatterns = [
    path("personalization/debug-bar/", debug_bar.bar, name="debug-bar"),
    path("", include("personalization.client.urls")),
    path("", include("personalization.segments.urls")),
    path("", include("personalization.server.urls")),
]
