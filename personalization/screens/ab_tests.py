"""A/B tests in the back office: the list (reference `engine-protocol.md` 6.9).

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, NumberColumn, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import IndexView
from wagtail.permissions import register_permission_policy

from personalization.screens import access
from personalization.screens.lists import Lists
from personalization.screens.models import CustomerFilter
from personalization.screens.permissions import PerSite
from personalization.server.models import ScenarioTest
from personalization.server.models import TestStatus as Status

VIEW, CHANGE = access.VIEW_TESTS, access.CHANGE_TESTS
STATUS_WORDS = {
    Status.PREPARED: _("Prepared"),
    Status.RUNNING: _("Running"),
    Status.ARCHIVED: _("Archived"),
}

# "change" is to begin a test, and to end one.
register_permission_policy(ScenarioTest, PerSite(ScenarioTest, "view", "change"))


class TestFilter(CustomerFilter):
    permissions: ClassVar[tuple[str, ...]] = (VIEW, CHANGE)
    status = django_filters.ChoiceFilter(
        label=_("Status"), choices=list(STATUS_WORDS.items()), empty_label=_("All"), method="of_status"
    )
    scenario = django_filters.CharFilter(label=_("Scenario (identifier)"), method="of_scenario")

    class Meta:
        model = ScenarioTest
        fields: ClassVar = ["customer_id"]

    def of_status(self, rows: Any, _name: str, value: str) -> QuerySet[ScenarioTest]:
        found: QuerySet[ScenarioTest] = rows.standing(value, now=timezone.now())
        return found

    def of_scenario(self, rows: Any, _name: str, value: str) -> QuerySet[ScenarioTest]:
        found: QuerySet[ScenarioTest] = rows.of_scenario(value.strip())
        return found


def called(row: ScenarioTest) -> str:
    """What a test is called: by its scenarios."""
    return gettext("%(a)s against %(b)s") % {"a": row.scenario_a, "b": row.scenario_b}


def status_of(row: ScenarioTest) -> str:
    return str(STATUS_WORDS[row.status_at(timezone.now())])


def share_of(row: ScenarioTest) -> str:
    return gettext("%(number)s %%") % {"number": row.share_b}


# Wagtail's column of dates tells how long ago they were; these may be to come.
def begin_of(row: ScenarioTest) -> str:
    return formats.date_format(timezone.localtime(row.starts_at), "SHORT_DATETIME_FORMAT")


def end_of(row: ScenarioTest) -> str:
    return formats.date_format(timezone.localtime(row.ends_at), "SHORT_DATETIME_FORMAT")


def list_url(customer_id: str, scenario: str) -> str:
    """The tests that a scenario is part of."""
    asked = {"customer_id": customer_id, "scenario": scenario}
    return f"{reverse('personalization_tests:index')}?{urlencode(asked)}"


def new_url(customer_id: str = "", scenario: str = "") -> str:
    """The form, with what is known of the test."""
    asked = {name: value for name, value in (("customer", customer_id), ("scenario", scenario)) if value}
    return reverse("personalization_test_new") + (f"?{urlencode(asked)}" if asked else "")


class TestIndex(IndexView):  # type: ignore[misc]
    add_item_label = _("Begin a test")

    @cached_property
    def columns(self) -> list[Any]:
        titled = self._get_title_column_class(TitleColumn)
        title = titled("test", label=_("Scenarios"), accessor=called, get_url=self.get_edit_url)
        return [title, *super().columns]

    def get_base_queryset(self) -> QuerySet[ScenarioTest]:
        return ScenarioTest.objects.filter(
            customer_id__in=access.customer_ids(self.request.user, VIEW, CHANGE)
        )

    def get_add_url(self) -> str | None:
        if not access.customers(self.request.user, CHANGE):
            return None
        asked = self.request.GET.get("customer_id", "")
        return new_url(asked if asked.isdigit() else "")

    def get_edit_url(self, instance: ScenarioTest) -> str:
        return reverse("personalization_test", args=[instance.pk])


class TestScreens(Lists):
    one = "personalization_test"
    model = ScenarioTest
    name = "personalization_tests"
    url_prefix = "personalization/tests"
    menu_label = _("A/B tests")
    icon = "sliders"
    add_to_admin_menu = False
    index_view_class = TestIndex
    index_results_template_name = "personalization/ab_tests/results.html"
    filterset_class = TestFilter
    search_fields = ("scenario_a", "scenario_b")
    ordering = ("-starts_at", "-pk")
    exclude_form_fields = ("share_b",)
    list_display = (
        Column("customer_id", label=_("Customer"), sort_key="customer_id"),
        NumberColumn("share_b", label=_("Share of B"), accessor=share_of),
        Column("starts_at", label=_("From"), accessor=begin_of, sort_key="starts_at"),
        Column("ends_at", label=_("Until"), accessor=end_of, sort_key="ends_at"),
        StatusTagColumn(
            "status",
            label=_("Status"),
            accessor=status_of,
            primary=lambda row: row.status_at(timezone.now()) == Status.RUNNING,
        ),
    )
