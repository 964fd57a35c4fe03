"""The findings of `manage.py doctor` as a page, for superusers: they name folders and variables."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem

from config.checks import examine
from tracking.screens.pages import AdminPage


class Installation(AdminPage):
    page_title = _("State of the installation")
    header_icon = "cogs"
    template_name = "personalization/installation.html"

    def has_permission(self) -> bool:
        return bool(getattr(self.request.user, "is_superuser", False))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        # What needs attention first.
        return context | {"findings": sorted(examine(), key=lambda finding: finding.well)}


class SuperuserItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))
