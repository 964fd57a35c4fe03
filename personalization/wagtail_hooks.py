"""Screens of the back office: what the engine took in, what the connector sent out, who the customers are.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path, reverse_lazy
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permissions import register_permission_policy

from personalization.client.models import ExportRun
from personalization.screens.customers import CustomerScreens
from personalization.screens.home import LodestarPanel
from personalization.screens.installation import Installation, SuperuserItem
from personalization.screens.permissions import Only
from personalization.server.models import ImportRun


class HistoryViewSet(ModelViewSet):  # type: ignore[misc]
    """A list of runs with a page of details for each."""

    add_to_admin_menu = False
    inspect_view_enabled = True
    copy_view_enabled = False
    index_template_name = "personalization/runs/index.html"
    search_backend_name = None
    list_per_page = 50
    exclude_form_fields: tuple[str, ...] = ()
    ordering = ("-id",)


class ImportHistory(HistoryViewSet):
    """The columns of reference `engine-protocol.md` 7.6, and what became of each run."""

    model = ImportRun
    name = "personalization_imports"
    url_prefix = "personalization/imports"
    menu_label = _("Import")
    icon = "download"
    list_display = (
        Column("subject", label=_("Subject"), accessor="subject"),
        "language",
        "action",
        "imported",
        "removed",
        "rejected",
        Column("status", label=_("Status"), accessor="get_status_display"),
        Column("error", label=_("Reason"), accessor="error"),
        DateColumn("finished_at", label=_("Last update")),
    )
    list_filter = ("customer_id", "status", "action", "language")
    search_fields = ("type_name", "item_id", "transaction", "customer_id")


class ExportHistory(HistoryViewSet):
    model = ExportRun
    name = "personalization_exports"
    url_prefix = "personalization/exports"
    menu_label = _("Export")
    icon = "upload"
    list_display = (
        "site_name",
        "customer_id",
        "items",
        Column("phase", label=_("Phase"), accessor="get_phase_display"),
        "engine_status",
        "error",
        DateColumn("finished_at", label=_("Finished")),
    )
    list_filter = ("customer_id", "phase")
    search_fields = ("site_name", "customer_id", "folder")
    # The hash of the run's password is nobody's business.
    inspect_view_fields_exclude = ("password_hash", "login")


# Only the machinery writes these rows: nobody adds, changes or deletes them by hand.
for model in (ImportRun, ExportRun):
    register_permission_policy(model, Only(model, "view"))


class PersonalizationGroup(ViewSetGroup):  # type: ignore[misc]
    menu_label = _("Personalization")
    menu_icon = "pick"
    items = (ImportHistory(), ExportHistory(), CustomerScreens())


@hooks.register("register_admin_viewset")  # type: ignore[untyped-decorator]
def personalization_screens() -> ViewSetGroup:
    return PersonalizationGroup()


@hooks.register("construct_homepage_panels")  # type: ignore[untyped-decorator]
def home(request: HttpRequest, panels: list[Any]) -> None:
    panels.append(LodestarPanel(request))


@hooks.register("register_admin_urls")  # type: ignore[untyped-decorator]
def urls() -> list[URLPattern]:
    return [path("installation/", Installation.as_view(), name="personalization_installation")]


@hooks.register("register_reports_menu_item")  # type: ignore[untyped-decorator]
def installation() -> SuperuserItem:
    url = reverse_lazy("personalization_installation")
    return SuperuserItem(_("State of the installation"), url, icon_name="cogs", order=2000)
