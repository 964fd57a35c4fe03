"""Addresses of segments, below the prefix of the platform's REST."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, register_converter
from django.urls.converters import IntConverter

from personalization.segments import rest


class UserNumber(IntConverter):
    """A number that every database takes for a key."""

    regex = "[0-9]{1,18}"


register_converter(UserNumber, "user_number")
BASE = "api/ibexa/v2"

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{BASE}/segment_groups", rest.groups, name="segment-groups"),
    path(f"{BASE}/segment_groups/<str:identifier>", rest.group, name="segment-group"),
    path(f"{BASE}/segment_groups/<str:identifier>/segments", rest.segments_of_group, name="group-segments"),
    path(f"{BASE}/segments", rest.segments, name="segments"),
    path(f"{BASE}/segments/<str:identifier>", rest.segment, name="segment"),
    path(f"{BASE}/user/users/<user_number:user>/segments", rest.segments_of_user, name="segments-of-user"),
    path(
        f"{BASE}/user/users/<user_number:user>/segments/<str:identifier>",
        rest.segment_of_user,
        name="segment-of-user",
    ),
]
