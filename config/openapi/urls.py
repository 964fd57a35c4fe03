"""Addresses of the documents. They stand before those of events, whose customers have any name."""

from __future__ import annotations

from django.urls import path

from config.openapi import views

urlpatterns = [
    path("schema/<slug:name>.json", views.schema, name="openapi"),
    path("docs/", views.index, name="openapi-docs"),
    path("docs/<slug:name>/", views.swagger, name="openapi-try"),
    path("docs/<slug:name>/read/", views.redoc, name="openapi-read"),
]
