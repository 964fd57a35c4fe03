"""The answer to somebody who lacks a permission: which one it is, and who can give it (reference D3, 61).

Wagtail leads to its home page instead, with a message that names neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from config.customers import reach

MOST_NAMED = 5


def denied(request: HttpRequest, *permissions: str) -> TemplateResponse:
    """``permissions``: those that are missing, as ``app.codename``; none where it takes an administrator."""
    title = gettext("You may not do this")
    context = {
        "page_title": title,
        "header_title": title,
        "header_icon": "lock",
        "breadcrumbs_items": [
            {"url": reverse("wagtailadmin_home"), "label": gettext("Home")},
            {"url": "", "label": title},
        ],
        "missing": named(permissions),
        "administrators": administrators(),
        "is_limited": bool(reach.site_permissions(request.user)),
    }
    return TemplateResponse(request, "lodestar/denied.html", context, status=403)


def named(permissions: Iterable[str]) -> list[dict[str, str]]:
    """What each is called in the form of a group, and its name in code."""
    wanted = list(permissions)
    same = Q()
    for app_label, codename in (one.split(".", 1) for one in wanted):
        same |= Q(content_type__app_label=app_label, codename=codename)
    rows = Permission.objects.filter(same).select_related("content_type") if wanted else []
    words = {f"{one.content_type.app_label}.{one.codename}": str(one.name) for one in rows}
    return [{"name": one, "words": words.get(one, one)} for one in wanted]


def administrators() -> list[str]:
    """Some of those who give permissions, as they are called."""
    users: Any = get_user_model()
    rows = users._default_manager.filter(is_superuser=True, is_active=True).order_by("pk")[:MOST_NAMED]
    return [one.get_full_name() or one.get_username() for one in rows]
