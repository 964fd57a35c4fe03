"""Operational Insights: what somebody should look at, until it is settled (reference `cdp.md` 2.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import django_filters
from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, TitleColumn
from wagtail.admin.views.generic import IndexView

from cdp.profiles import insights
from cdp.profiles.models import Account, Insight
from cdp.screens import access
from cdp.screens.affected import affected
from cdp.screens.matters import LABELS, closes, label_of
from cdp.screens.page import Page
from personalization.screens.lists import Lists

VIEW, CHANGE = "profiles.view_insight", "profiles.change_insight"


access.keep(Insight)


class InsightFilters(WagtailFilterSet):  # type: ignore[misc]
    state = django_filters.ChoiceFilter(
        label=_("State"), choices=[("open", _("Open")), ("closed", _("Closed"))], method="of_state"
    )
    account = django_filters.ModelChoiceFilter(label=_("Account"), queryset=access.filtered)
    code = django_filters.ChoiceFilter(label=_("Issue"), choices=list(LABELS.items()))

    class Meta:
        model = Insight
        fields: tuple[str, ...] = ()

    def of_state(self, rows: QuerySet[Insight], _name: str, value: str) -> QuerySet[Insight]:
        return rows.filter(closed_at__isnull=value == "open")


class InsightIndex(IndexView):  # type: ignore[misc]
    filterset_class = InsightFilters

    def get_base_queryset(self) -> Any:
        rows = access.visible(Insight.objects.all(), self.request.user, VIEW, CHANGE)
        rows = rows.select_related("account")
        return rows.order_by(F("closed_at").desc(nulls_first=True), "-last_seen", "-pk")

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginator, page, _rows, is_paginated = super().paginate_queryset(queryset, page_size)
        rows = list(page.object_list)
        found = affected(rows, self.request.user)
        for row in rows:
            row.affected = found.get(row.pk)
        page.object_list = rows
        return paginator, page, rows, is_paginated

    def get_edit_url(self, instance: Insight) -> str:
        return reverse("cdp_insight", args=[instance.pk])

    def get_add_url(self) -> None:
        return None


class AffectedColumn(Column):  # type: ignore[misc]
    cell_template_name = "cdp/insights/affected.html"


def state_of(row: Insight) -> str:
    return gettext("closed") if row.closed_at else gettext("open")


def url_of(row: Insight) -> str:
    return reverse("cdp_insight", args=[row.pk])


class InsightScreens(Lists):
    one = "cdp_insight"
    model = Insight
    name = "insights"
    url_prefix = "customer-data/insights"
    menu_label = _("Operational Insights")
    icon = "warning"
    index_view_class = InsightIndex
    index_results_template_name = "cdp/insights/results.html"
    list_display = (
        TitleColumn("matter", label=_("Issue"), accessor=label_of, get_url=url_of),
        Column("state", label=_("State"), accessor=state_of),
        AffectedColumn("affected", label=_("Affected"), accessor="affected"),
        NumberColumn("count", label=_("Times"), sort_key="count"),
        DateColumn("first_seen", label=_("First"), sort_key="first_seen"),
        DateColumn("last_seen", label=_("Last"), sort_key="last_seen"),
        Column("account", label=_("Account"), accessor="account"),
    )
    search_fields = ("message", "subject")
    exclude_form_fields = ("account",)


class OneInsight(Page):
    permission_required = VIEW
    template_name = "cdp/insights/insight.html"
    header_icon = "warning"
    actions = ("close",)
    logged: ClassVar = {"close": "close_insight"}
    action_permissions: ClassVar = {"close": CHANGE}

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("insights:index"), "label": gettext("Operational Insights")}]

    @cached_property
    def insight(self) -> Insight:
        rows = access.visible(Insight.objects.select_related("account"), self.request.user, VIEW)
        found: Insight = get_object_or_404(rows, pk=self.kwargs["pk"])
        return found

    def whose(self) -> Account:
        return self.insight.account

    def subject(self) -> Insight:
        return self.insight

    def get_page_title(self) -> str:
        return label_of(self.insight)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "insight": self.insight,
            "affected": affected([self.insight], self.request.user).get(self.insight.pk),
            "closes": closes(self.insight),
            "may_change": self.is_allowed(CHANGE),
        }

    def do_close(self) -> HttpResponse:
        if insights.settle(self.insight):
            messages.success(self.request, gettext("Closed. It opens again if it happens again."))
        else:
            self.is_unchanged = True
            messages.warning(self.request, gettext("It was closed already."))
        return redirect("cdp_insight", self.insight.pk)
