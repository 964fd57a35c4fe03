"""Addresses of the engine. Old integrations write a solution id in place of ``api``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from personalization.server.api import items, recommendations

PREFIX = r"^(?:api|ebl|ebh|newsl|newsh|news)"
CUSTOMER = r"(?P<customer_id>[A-Za-z0-9_-]+)"

# The user id may hold encoded slashes, which are decoded before routing; a scenario's id cannot.
RECOMMENDATIONS = rf"{PREFIX}/v2/{CUSTOMER}/(?P<user>.+)/(?P<scenario>[^/.]+)(?:\.(?P<extension>[^/]*))?$"

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(RECOMMENDATIONS, recommendations.recommendations, name="engine-recommendations"),
    re_path(rf"{PREFIX}/{CUSTOMER}/items$", items.notifications, name="engine-notifications"),
    re_path(
        rf"{PREFIX}/{CUSTOMER}/item/(?P<item_type>[^/]+)/(?P<item_id>.+)$", items.item, name="engine-item"
    ),
]
