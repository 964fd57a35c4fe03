"""Scenarios in the back office: the list (reference `engine-protocol.md` 7.5).

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, NumberColumn
from wagtail.admin.views.generic import IndexView
from wagtail.permissions import register_permission_policy

from personalization.screens import access
from personalization.screens.lists import Lists
from personalization.screens.models import CustomerFilter, make_defaults
from personalization.screens.permissions import PerSite
from personalization.server import overview
from personalization.server.models import CallCount, Scenario
from personalization.server.overview import Availability
from personalization.server.scenarios.strategy import Strategy
from personalization.server.statistics import calls, spans

VIEW, CHANGE = access.VIEW_SCENARIOS, access.CHANGE_SCENARIOS
RANGES = {
    "day": _("Last 24 hours"),
    "week": _("Last 7 days"),
    "month": _("Last 30 days"),
    "quarter": _("Last 91 days"),
    "year": _("Last 371 days"),
}
DEFAULT_RANGE = "day"
WORDS = {
    Availability.AVAILABLE: _("Available"),
    Availability.PARTLY: _("Partly available"),
    Availability.NOT: _("Not available"),
}

register_permission_policy(Scenario, PerSite(Scenario, "view", "change"))


class ScenarioFilter(CustomerFilter):
    permissions: ClassVar[tuple[str, ...]] = (VIEW, CHANGE)
    calls = django_filters.ChoiceFilter(
        label=_("Calls counted"),
        choices=[(name, words) for name, words in RANGES.items() if name != DEFAULT_RANGE],
        empty_label=RANGES[DEFAULT_RANGE],
        method="keep_all",
    )

    class Meta:
        model = Scenario
        fields: ClassVar = ["customer_id"]

    def keep_all(self, rows: QuerySet[Scenario], _name: str, _value: str) -> QuerySet[Scenario]:
        return rows


class CellColumn(Column):  # type: ignore[misc]
    """A column with a template of its own."""

    def __init__(self, name: str, *, template: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.cell_template_name = template


def types_of(row: Scenario) -> str:
    return ", ".join(map(str, row.output_types)) or gettext("all")


def input_of(row: Scenario) -> str:
    return str(row.input_type or gettext("any"))


def models_of(row: Scenario) -> str:
    levels = Strategy.model_validate(row.strategy).levels
    return ", ".join(dict.fromkeys(placed.model for level in levels for placed in level.models))


class ScenarioIndex(IndexView):  # type: ignore[misc]
    add_item_label = _("Add scenario")

    def get_base_queryset(self) -> QuerySet[Scenario]:
        known = access.customer_ids(self.request.user, VIEW, CHANGE)
        make_defaults(known)
        return Scenario.objects.filter(customer_id__in=known)

    def get_table(self, object_list: Any) -> Any:
        shown: dict[str, list[Scenario]] = {}
        for row in object_list:
            shown.setdefault(row.customer_id, []).append(row)
        available = {customer: overview.scenarios(customer, rows) for customer, rows in shown.items()}
        counted = calls_of(set(shown), self.range)
        for row in object_list:
            row.availability = available[row.customer_id][row.identifier]
            row.availability_words = WORDS[row.availability]
            row.calls = counted.get((row.customer_id, row.identifier), 0)
            row.preview_url = reverse("personalization_preview", args=[row.pk])
        return super().get_table(object_list)

    @property
    def range(self) -> str:
        asked = self.request.GET.get("calls", "")
        return asked if asked in RANGES else DEFAULT_RANGE

    def get_add_url(self) -> str | None:
        known = access.customers(self.request.user, CHANGE)
        if not known:
            return None
        asked = self.request.GET.get("customer_id", "")
        return reverse("personalization_scenario_new") + (f"?customer={asked}" if asked.isdigit() else "")

    def get_edit_url(self, instance: Scenario) -> str:
        return reverse("personalization_scenario", args=[instance.pk])


def calls_of(customers: set[str], name: str) -> dict[tuple[str, str], int]:
    """By customer and scenario how often it was called in a range; hours are the finest that is known."""
    begin = spans.preset(name, now=datetime.now(UTC)).begin.replace(minute=0, second=0, microsecond=0)
    rows = CallCount.objects.filter(customer_id__in=customers, model=calls.ALL_MODELS, hour__gte=begin)
    counted = rows.order_by().values("customer_id", "scenario").annotate(sum=Sum("calls"))
    return {(row["customer_id"], row["scenario"]): row["sum"] for row in counted}


class ScenarioScreens(Lists):
    one = "personalization_scenario"
    model = Scenario
    name = "personalization_scenarios"
    url_prefix = "personalization/scenarios"
    menu_label = _("Scenarios")
    icon = "list-ul"
    add_to_admin_menu = False
    index_view_class = ScenarioIndex
    index_template_name = "personalization/scenarios/index.html"
    filterset_class = ScenarioFilter
    search_fields = ("name", "identifier", "description")
    ordering = ("customer_id", "name")
    exclude_form_fields = ("strategy",)
    list_display = (
        "name",
        CellColumn(
            "availability", label=_("Availability"), template="personalization/scenarios/availability.html"
        ),
        Column("identifier", label=_("Identifier"), sort_key="identifier"),
        Column("customer_id", label=_("Customer"), sort_key="customer_id"),
        Column("input_type", label=_("Input type"), accessor=input_of),
        Column("output_types", label=_("Output types"), accessor=types_of),
        Column("models", label=_("Models"), accessor=models_of),
        NumberColumn("calls", label=_("No. of calls")),
        CellColumn("preview", label=_("Preview"), template="personalization/scenarios/preview_link.html"),
    )
