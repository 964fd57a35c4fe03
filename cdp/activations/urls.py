"""Addresses of the membership API (reference `cdp.md` 4.8)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from cdp.activations.api import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v3/memberships/<str:kind>", views.memberships, name="cdp-memberships"),
    path("api/v3/identifiers", views.identifiers, name="cdp-identifiers"),
    path("api/v3/audiences", views.audiences, name="cdp-audiences"),
    path("api/v3/membership/changes/<str:kind>", views.changes, name="cdp-membership-changes"),
    path("api/v3/membership/<str:audience>", views.membership, name="cdp-membership"),
]
