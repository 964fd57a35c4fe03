"""Addresses of tracking for the customer data platform (reference `cdp.md` 6.2, 9.2)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from cdp.tracking import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("t/<int:account>.rsa", views.pixel, name="cdp-pixel"),
    path("t/<int:account>/consent", views.consent, name="cdp-consent"),
    path("raptor/track", views.hybrid, name="cdp-hybrid"),
    path("v1/<str:call>", views.public, name="cdp-public"),
]
