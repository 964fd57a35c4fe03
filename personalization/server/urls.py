"""Addresses of the engine. Old integrations write a solution id in place of ``api``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from personalization.server.api import items, legacy, push, recommendations, users
from tracking.events import SPELLINGS

PREFIX = r"^(?:api|ebl|ebh|newsl|newsh|news)"
CUSTOMER = r"(?P<customer_id>[A-Za-z0-9_-]+)"

# The user id may hold encoded slashes, which are decoded before routing; a scenario's id cannot.
RECOMMENDATIONS = rf"{PREFIX}/v2/{CUSTOMER}/(?P<user>.+)/(?P<scenario>[^/.]+)(?:\.(?P<extension>[^/]*))?$"
# Not the code of an event: /api/<customer>/login/user/<account> is a login of somebody called "user".
SOURCE = rf"(?!(?:{'|'.join(SPELLINGS)}|v2|events)/)(?P<source>[^/]+)"

# The first version: /<solution>/<customer>/<user>/<scenario>.json.
OTHERS = "|".join(["item", "items", "editoriallist", "user", "v2", "events", *SPELLINGS])
LEGACY = (
    rf"{PREFIX}/{CUSTOMER}/(?!(?:{OTHERS})/)(?P<user>.+)/(?P<scenario>[^/.]+)\.(?P<extension>json|jsonp|xml)$"
)

CALLS = re_path(RECOMMENDATIONS, recommendations.recommendations, name="engine-recommendations")

urlpatterns: list[URLPattern | URLResolver] = [
    CALLS,
    re_path(rf"{PREFIX}/{CUSTOMER}/{SOURCE}/user$", users.told, name="engine-users"),
    re_path(rf"{PREFIX}/{CUSTOMER}/{SOURCE}/user/(?P<ids>[^/]+)$", users.shown, name="engine-user"),
    re_path(rf"{PREFIX}/{CUSTOMER}/user/(?P<ids>[^/]+)$", users.forgotten, name="engine-forget"),
    re_path(LEGACY, legacy.recommendations, name="engine-legacy"),
    re_path(rf"{PREFIX}/{CUSTOMER}/items$", items.notifications, name="engine-notifications"),
    re_path(rf"{PREFIX}/{CUSTOMER}/item$", push.items, name="engine-push"),
    re_path(rf"{PREFIX}/{CUSTOMER}/item/schema\.xsd$", push.schema, name="engine-schema"),
    re_path(rf"{PREFIX}/{CUSTOMER}/transferitems$", push.transferred, name="engine-transfers"),
    re_path(
        rf"{PREFIX}/{CUSTOMER}/editoriallist(?:/(?P<code>[A-Za-z0-9_-]{{1,64}}))?$",
        push.editorial_list,
        name="engine-editorial-list",
    ),
    re_path(
        rf"{PREFIX}/{CUSTOMER}/item/(?P<item_type>[^/]+)/(?P<item_id>.+)$", items.item, name="engine-item"
    ),
]
