"""Addresses of the customer data platform; with a slash at the end too, since nothing here redirects."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from cdp.webhook import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("cdp/webhook", views.webhook, name="cdp-webhook"),
    path("cdp/webhook/", views.webhook),
    path("cdp/webhook/batches/<uuid:number>", views.batch, name="cdp-batch"),
    path("", include("cdp.activations.urls")),
]
