"""The event debugger: a page, and what its script asks for every second and a half."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from config.customers.directory import directory
from tracking import debugger, identity, pulse
from tracking.debugger import REFUSED, STORED, News, Wanted
from tracking.events import RULES
from tracking.marks import Seen
from tracking.rotation import keys
from tracking.screens.chart import Chart

SEE_EVENTS = "tracking.view_event"


class Filters(forms.Form):
    """What to show. ``user`` is a whole pseudonym, of any key."""

    customer_id = forms.ChoiceField(label=_("Customer"), required=False)
    event = forms.ChoiceField(label=_("Event"), required=False)
    outcome = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("All")), (STORED, _("Stored")), (REFUSED, _("Refused"))],
    )
    user = forms.RegexField(label=_("User (pseudonym)"), regex=rf"^{identity.STORED}\Z", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = sorted(directory.all(), key=lambda one: one.customer_id)
        self.fields["customer_id"].choices = [  # type: ignore[attr-defined]
            ("", _("All")),
            *((one.customer_id, f"{one.customer_id} {one.name}") for one in accounts),
        ]
        self.fields["event"].choices = [("", _("All")), *((code, code) for code in RULES)]  # type: ignore[attr-defined]

    def wanted(self) -> Wanted | None:
        """None for a filter that cannot be; it is named beside its field, and nothing is shown."""
        if not self.is_valid():
            return None
        given = dict(self.cleaned_data)
        user = given.pop("user")
        return Wanted(**given, users=forms_of(user, given["customer_id"]))


def forms_of(user: str, customer_id: str) -> tuple[str, ...]:
    """A pseudonym and what later keys make of it; of the customers that it may be of, when none is named."""
    if not user or identity.generation_of(user) >= len(settings.PSEUDONYM_KEYS):
        return (user,) if user else ()
    customers = [customer_id] if customer_id else [one.customer_id for one in directory.all()]
    return (user, *(form for customer in customers for form in identity.onward(customer, user)[1:]))


class AdminPage(PermissionRequiredMixin, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """A page of the back office for whoever may see events."""

    permission_required = SEE_EVENTS
    header_icon = "crosshairs"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title()}]


class Debugger(AdminPage):
    page_title = _("Event debugger")
    template_name = "tracking/debugger.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        filters = Filters(self.request.GET)
        wanted = filters.wanted()
        found = news(wanted, seen=Seen())
        return context | {
            "filters": filters,
            "lines": found.lines,
            "seen": found.seen.as_text(),
            "feed_url": reverse("tracking_debugger_feed"),
            "pseudonym_url": reverse("tracking_debugger_pseudonym"),
            **overview(wanted or Wanted()),
        }


class Feed(PermissionRequiredMixin, View):
    """New lines since ``seen``, ready to be put on the page; with ``overview=1`` the counts too."""

    permission_required = SEE_EVENTS
    raise_exception = True

    def get(self, request: HttpRequest) -> JsonResponse:
        wanted = Filters(request.GET).wanted()
        found = news(wanted, seen=Seen.from_text(request.GET.get("seen", "")))
        answer = {
            "seen": found.seen.as_text(),
            "count": len(found.lines),
            "rows": render_to_string("tracking/debugger_rows.html", {"lines": found.lines}),
        }
        if request.GET.get("overview"):
            context = overview(wanted or Wanted())
            answer["overview"] = render_to_string("tracking/debugger_overview.html", context)
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})


class Pseudonym(PermissionRequiredMixin, View):
    """The pseudonym of a raw user id. It comes by POST, so that the id stands in no address and no log.

    While keys are being rotated it is the oldest that is stored; the filter follows it to that of today.
    """

    permission_required = SEE_EVENTS
    raise_exception = True

    def post(self, request: HttpRequest) -> JsonResponse:
        customer_id, user = request.POST.get("customer_id", ""), request.POST.get("user", "")
        if not user or directory.find(customer_id) is None:
            return JsonResponse({"error": str(_("Choose a customer and type a user id."))}, status=400)
        return JsonResponse(
            {"user": keys.living(customer_id, user)[-1]}, headers={"Cache-Control": "no-store"}
        )


def news(wanted: Wanted | None, *, seen: Seen) -> News:
    return News(seen=seen) if wanted is None else debugger.news(wanted, seen=seen)


def overview(wanted: Wanted) -> dict[str, Any]:
    """Requests per minute, and what looks wrong."""
    return {
        "chart": Chart(pulse.minutes(wanted), wanted),
        "suspicions": list(pulse.suspicions(wanted.customer_id)) if wanted.customer_id else [],
    }
