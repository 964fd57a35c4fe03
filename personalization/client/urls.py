"""Addresses of the connector; those of older clients answer the same (reference 4.1)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from personalization import contracts
from personalization.client import lazy, rest

PREFIXES = tuple(f"{prefix[1:]}/" for prefix in contracts.REST_PREFIXES)

CONTENT: list[URLPattern] = [
    pattern
    for prefix in PREFIXES
    for pattern in (
        path(f"{prefix}content/id/<str:ids>", rest.content),
        path(f"{prefix}content/remote-id/<path:remote_id>", rest.remote_content),
        path(f"{prefix}content/list/<str:ids>", rest.content),
        path(f"{prefix}contentlist/<str:ids>", rest.content),
        path(f"{prefix}content/<str:ids>", rest.content),
        path(f"{prefix}contenttypes/<str:ids>", rest.content_types),
        path(f"{prefix}export/download/<path:file_path>", rest.download),
        path(f"{prefix}exportDownload/<path:file_path>", rest.download),
        re_path(rf"^{prefix}", rest.nowhere),
    )
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("personalization/fragment/", lazy.fragment, name="recommendations-fragment"),
    *CONTENT,
]
