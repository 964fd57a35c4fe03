"""Screens of the back office: what the engine took in, what the connector sent out, who the customers are.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse_lazy
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.admin.widgets.button import Button
from wagtail.permissions import register_permission_policy

from config import glossary, onboarding
from personalization.screens import (
    ab_test,
    ab_test_form,
    ab_tests,
    audit,
    editor_lists,
    items,
    models,
    scenario_editor,
    scenario_preview,
    scenarios,
    segments,
)
from personalization.screens.customer_data import CustomerDataGroup
from personalization.screens.customers import CustomerScreens
from personalization.screens.dashboard import DashboardScreens
from personalization.screens.deliveries import OutboxScreens
from personalization.screens.evaluations import EvaluationScreens
from personalization.screens.exports import ExportHistory
from personalization.screens.first_steps import STEPS, TERMS, FirstSteps, FirstStepsPanel, Glossary
from personalization.screens.history import HistoryViewSet
from personalization.screens.home import LodestarPanel
from personalization.screens.installation import Installation, SuperuserItem
from personalization.screens.permissions import PerSite
from personalization.screens.site_permissions import SitePermissionsPanel
from personalization.screens.tokens import TokenScreens
from personalization.screens.view_as import LOOKED, ViewAs, ViewAsButton
from personalization.segments import preview
from personalization.server.models import CallCount, ImportRun

MODEL = "personalization/model/<int:pk>"
SCENARIO = "personalization/scenario"
TEST = "personalization/test"

onboarding.register(*STEPS)
glossary.register(*TERMS)


class ImportHistory(HistoryViewSet):
    """The columns of reference `engine-protocol.md` 7.6, and what became of each run."""

    model = ImportRun
    name = "personalization_imports"
    url_prefix = "personalization/imports"
    menu_label = _("Import")
    icon = "download"
    list_display = (
        Column("subject", label=_("Subject"), accessor="subject"),
        Column("item_type", label=_("Item type ID"), accessor="item_type"),
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


# Only the machinery writes these rows: nobody adds, changes or deletes them by hand.
register_permission_policy(ImportRun, PerSite(ImportRun, "view"))
# Whoever may see the counts may see the dashboard that is made of them.
FIGURES = PerSite(CallCount, "view")
register_permission_policy(CallCount, FIGURES)


class PersonalizationGroup(ViewSetGroup):  # type: ignore[misc]
    menu_label = _("Personalization")
    menu_icon = "pick"
    items = (
        DashboardScreens(),
        models.ModelScreens(),
        scenarios.ScenarioScreens(),
        ab_tests.TestScreens(),
        EvaluationScreens(),
        items.ItemScreens(),
        ImportHistory(),
        ExportHistory(),
        OutboxScreens(),
        CustomerScreens(),
        TokenScreens(),
    )


@hooks.register("register_admin_viewset")  # type: ignore[untyped-decorator]
def personalization_screens() -> ViewSetGroup:
    return PersonalizationGroup()


@hooks.register("register_admin_viewset")  # type: ignore[untyped-decorator]
def customer_data_screens() -> ViewSetGroup:
    return CustomerDataGroup()


@hooks.register("register_permissions")  # type: ignore[untyped-decorator]
def permissions_of_segments() -> QuerySet[Permission]:
    return segments.offered()


@hooks.register("register_permissions")  # type: ignore[untyped-decorator]
def permissions_of_figures() -> QuerySet[Permission]:
    return FIGURES.offered()


@hooks.register("register_group_permission_panel")  # type: ignore[untyped-decorator]
def site_permissions() -> type[SitePermissionsPanel]:
    return SitePermissionsPanel


@hooks.register("construct_homepage_panels")  # type: ignore[untyped-decorator]
def home(request: HttpRequest, panels: list[Any]) -> None:
    panels += [FirstStepsPanel(request), LodestarPanel(request)]


@hooks.register("register_admin_urls")  # type: ignore[untyped-decorator]
def urls() -> list[URLPattern]:
    return [
        path("first-steps/", FirstSteps.as_view(), name="first_steps"),
        path("glossary/", Glossary.as_view(), name="glossary"),
        path("installation/", Installation.as_view(), name="personalization_installation"),
        path("customer-data/view-as/", ViewAs.as_view(), name="view_as_segments"),
        path(f"{MODEL}/", models.OneModel.as_view(), name="personalization_model"),
        path(f"{MODEL}/build/", models.BuildProgress.as_view(), name="personalization_model_build"),
        path(f"{MODEL}/list/", editor_lists.ListItems.as_view(), name="personalization_model_list"),
        *of_scenarios(),
        *of_tests(),
    ]


def of_scenarios() -> list[URLPattern]:
    one = f"{SCENARIO}/<int:pk>"
    return [
        path(f"{SCENARIO}/new/", scenario_editor.NewScenario.as_view(), name="personalization_scenario_new"),
        path(f"{one}/", scenario_editor.OneScenario.as_view(), name="personalization_scenario"),
        path(f"{one}/preview/", scenario_preview.ScenarioPreview.as_view(), name="personalization_preview"),
        path("personalization/item-search/", items.ItemSearch.as_view(), name="personalization_item_search"),
    ]


def of_tests() -> list[URLPattern]:
    one = f"{TEST}/<int:pk>"
    return [
        path(f"{TEST}/new/", ab_test_form.NewTest.as_view(), name="personalization_test_new"),
        path(f"{one}/", ab_test.OneTest.as_view(), name="personalization_test"),
        path(f"{one}/<slug:chart>.csv", ab_test.TestChart.as_view(), name="personalization_test_chart"),
        path(f"{one}/end/", ab_test.EndTest.as_view(), name="personalization_test_end"),
        path(f"{one}/take-over/", ab_test.TakeOver.as_view(), name="personalization_test_take_over"),
    ]


@hooks.register("register_page_header_buttons")  # type: ignore[untyped-decorator]
def look_at_pages(page: Any, user: Any, view_name: str, next_url: str | None = None) -> Iterator[Button]:  # noqa: ARG001
    if user.has_perm(preview.PERMISSION) and page.live and page.url:
        yield ViewAsButton(page)


@hooks.register("register_reports_menu_item")  # type: ignore[untyped-decorator]
def installation() -> SuperuserItem:
    url = reverse_lazy("personalization_installation")
    return SuperuserItem(_("State of the installation"), url, icon_name="cogs", order=2000)


@hooks.register("register_help_menu_item")  # type: ignore[untyped-decorator]
def first_steps() -> MenuItem:
    return MenuItem(_("First steps"), reverse_lazy("first_steps"), icon_name="tasks", order=100)


@hooks.register("register_help_menu_item")  # type: ignore[untyped-decorator]
def words() -> MenuItem:
    return MenuItem(_("Glossary"), reverse_lazy("glossary"), icon_name="help", order=110)


@hooks.register("register_log_actions")  # type: ignore[untyped-decorator]
def looks(actions: Any) -> None:
    audit.register(actions)
    actions.register_action(LOOKED, _("View as segments"), _("Looked at a page as segments see it"))
