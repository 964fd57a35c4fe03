"""The dashboard of the menu *Personalization* (engine-protocol.md 7.2), and its files.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from personalization.screens import access
from personalization.screens.chart_files import csv_file, file
from personalization.screens.charts import charts
from personalization.screens.figures import figures
from personalization.screens.ranges import NAMES, RangeForm
from personalization.screens.tables import popular, purchases
from personalization.screens.tiles import tiles
from personalization.server.statistics import sheets
from tracking.screens.pages import SEE_EVENTS, SitesAnswer, SitesPage

SEE = access.VIEW_FIGURES
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Dashboard(SitesPage):
    permission_required = SEE
    page_title = _("Dashboard")
    header_icon = "view"
    template_name = "personalization/dashboard/index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        customer, form = access.chosen(self.request, SEE), RangeForm(self.request.GET)
        context |= {"customers": access.choices(self.request.user, SEE), "customer": customer, "form": form}
        if customer is None:
            return context
        found = figures(customer, form.wanted())
        return context | {
            "tiles": tiles(customer),
            "charts": charts(found),
            "found": found,
            "popular": popular(customer, found),
            "purchases": purchases(found),
            "ranges": [(name, NAMES[name], link(customer, name), name == form.name) for name in NAMES],
            "query": query(customer, form),
            "has_events": any(map(sum, found.events.values())) or any(found.calls),
            "may_see_events": access.may(self.request.user, SEE_EVENTS, customer),
        }


def link(customer_id: str, name: str) -> str:
    return "?" + urlencode({"customer": customer_id, "range": name})


def query(customer_id: str, form: RangeForm) -> str:
    """The range that is shown, for the addresses of files."""
    if form.name:
        return urlencode({"customer": customer_id, "range": form.name})
    given = form.cleaned_data
    return urlencode({"customer": customer_id, "from": given["begin"], "to": given["end"]})


class Download(SitesAnswer):
    """Figures of a range as a file; 400 for a range that cannot be, and no other range in its place."""

    permission_required = SEE

    def get(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        form, customer = RangeForm(request.GET), access.chosen(request, SEE)
        if customer is None:
            raise Http404
        if not form.is_valid():
            told = " ".join(str(text) for texts in form.errors.values() for text in texts)
            return HttpResponse(told, status=400, content_type="text/plain; charset=utf-8")
        found = figures(customer, form.wanted())
        name = f"{customer}-{found.span.begin:%Y-%m-%d}"
        if "chart" in kwargs:
            return csv_file(charts(found), kwargs["chart"], name)
        return file(sheets.workbook(found), f"{name}.xlsx", XLSX)


class DashboardItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(getattr(request, "user", None) and access.anywhere(request.user, SEE))


class DashboardScreens(ViewSet):  # type: ignore[misc]
    name = "personalization_dashboard"
    url_prefix = "personalization/dashboard"
    menu_label = _("Dashboard")
    icon = "view"

    @property
    def menu_url(self) -> str:
        return reverse("personalization_dashboard:index")

    def get_menu_item(self, order: int | None = None) -> MenuItem:
        return DashboardItem(
            self.menu_label, self.menu_url, name=self.name, icon_name=self.icon, order=order or 0
        )

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", Dashboard.as_view(), name="index"),
            path("report.xlsx", Download.as_view(), name="workbook"),
            path("<slug:chart>.csv", Download.as_view(), name="chart"),
        ]
