"""Addresses of the customer data platform; with a slash at the end too, since nothing here redirects."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from cdp.audiences import api
from cdp.profiles.views import delete_user
from cdp.stream.views import stream
from cdp.webhook import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("stream/<int:account>", stream, name="cdp-stream"),
    path("stream/<int:account>/", stream),
    path("gdpr/<int:number>/DeleteUser", delete_user, name="cdp-delete-user"),
    path("gdpr/<int:number>/DeleteUser/", delete_user),
    path("cdp/webhook", views.webhook, name="cdp-webhook"),
    path("cdp/webhook/", views.webhook),
    path("cdp/webhook/batches/<uuid:number>", views.batch, name="cdp-batch"),
    path("cdp/api/audiences/preview", api.preview_view, name="cdp-audience-preview"),
    path("cdp/api/audiences/<str:identifier>/explain", api.explain_view, name="cdp-audience-explain"),
    path("", include("cdp.tracking.urls")),
    path("", include("cdp.activations.urls")),
]
