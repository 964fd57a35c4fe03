"""What pages and answers of the back office share: who may see them, and what others are told."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from config.customers import reach
from tracking.screens.denied import denied

SEE_EVENTS = "tracking.view_event"
SEE_PERSON, ERASE_PERSON = "tracking.view_person", "tracking.erase_person"
reach.register(SEE_EVENTS, SEE_PERSON, ERASE_PERSON)


class Explained(PermissionRequiredMixin):
    """Says which permission is missing. ``permission_required``: one, or several that are all needed."""

    permission_required: Any = ()
    request: HttpRequest

    def missing(self) -> list[str]:
        user: Any = self.request.user
        return [one for one in self.get_permission_required() if not user.has_perm(one)]

    def has_permission(self) -> bool:
        return not self.missing()

    def handle_no_permission(self) -> HttpResponse:  # type: ignore[override]
        return denied(self.request, *self.missing())


class OfSites(Explained):
    """For those too who have the permissions for single sites; what is looked up has to be narrowed."""

    def missing(self) -> list[str]:
        return [one for one in self.get_permission_required() if not reach.anywhere(self.request.user, one)]


class AdminPage(Explained, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """A page of the back office."""

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title()}]


class SitesPage(OfSites, AdminPage):
    """A page about the customers that somebody may see."""


class SitesAnswer(OfSites, View):
    """An answer or a file about the customers that somebody may see."""
