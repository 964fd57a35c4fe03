"""The event debugger: a page, and what its script asks for every second and a half."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.customers import reach
from tracking import debugger, identity, pulse, refused
from tracking.debugger import REFUSED, STORED, News, Wanted
from tracking.events import RULES
from tracking.marks import Seen
from tracking.rotation import keys
from tracking.screens.chart import Chart
from tracking.screens.pages import SEE_EVENTS, SitesAnswer, SitesPage

NOBODY = "-"  # no customer is called so
MOST_MISTAKES = 20


class Filters(forms.Form):
    """What to show, of the customers whose events ``viewer`` may see: of all of them, or of one that belongs
    to a site of theirs. ``user`` is a whole pseudonym, of any key."""

    customer_id = forms.ChoiceField(label=_("Customer"), required=False)
    event = forms.ChoiceField(label=_("Event"), required=False)
    outcome = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("All")), (STORED, _("Stored")), (REFUSED, _("Refused"))],
    )
    user = forms.RegexField(label=_("User (pseudonym)"), regex=rf"^{identity.STORED}\Z", required=False)

    def __init__(self, given: Any, *, viewer: Any) -> None:
        self.known = reach.customers(viewer, SEE_EVENTS)
        self.is_limited = reach.sites(viewer, SEE_EVENTS) is not None
        if self.is_limited and self.known and not given.get("customer_id"):
            given = {**given.dict(), "customer_id": self.known[0].customer_id}
        super().__init__(given)
        self.fields["customer_id"].choices = [  # type: ignore[attr-defined]
            *([] if self.is_limited else [("", _("All"))]),
            *((one.customer_id, f"{one.customer_id} {one.name}") for one in self.known),
        ]
        self.fields["event"].choices = [("", _("All")), *((code, code) for code in RULES)]  # type: ignore[attr-defined]

    def wanted(self) -> Wanted | None:
        """None for a filter that cannot be; it is named beside its field, and nothing is shown."""
        if not self.is_valid() or (self.is_limited and not self.known):
            return None
        given = dict(self.cleaned_data)
        user = given.pop("user")
        asked = given["customer_id"]
        customers = [asked] if asked else [one.customer_id for one in self.known]
        return Wanted(**given, users=forms_of(user, customers))

    def nothing(self) -> Wanted:
        """What is counted beside a filter that cannot be: everything that the viewer may see, or nobody's."""
        return Wanted(customer_id=NOBODY) if self.is_limited else Wanted()


def forms_of(user: str, customers: list[str]) -> tuple[str, ...]:
    """A pseudonym and what later keys make of it, of the customers that it may be of."""
    if not user or identity.generation_of(user) >= len(settings.PSEUDONYM_KEYS):
        return (user,) if user else ()
    return (user, *(form for customer in customers for form in identity.onward(customer, user)[1:]))


class Debugger(SitesPage):
    permission_required = SEE_EVENTS
    header_icon = "crosshairs"
    page_title = _("Event debugger")
    template_name = "tracking/debugger.html"

    def get_page_title(self) -> str:
        """The menu leads here twice."""
        return str(_("Refused events") if self.request.GET.get("outcome") == REFUSED else self.page_title)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        filters = Filters(self.request.GET, viewer=self.request.user)
        wanted = filters.wanted()
        found = news(wanted, seen=Seen())
        return context | {
            "filters": filters,
            "lines": found.lines,
            "seen": found.seen.as_text(),
            "feed_url": reverse("tracking_debugger_feed"),
            "pseudonym_url": reverse("tracking_debugger_pseudonym"),
            **overview(wanted or filters.nothing()),
        }


class Feed(SitesAnswer):
    """New lines since ``seen``, ready to be put on the page; with ``overview=1`` the counts too."""

    permission_required = SEE_EVENTS

    def get(self, request: HttpRequest) -> JsonResponse:
        filters = Filters(request.GET, viewer=request.user)
        wanted = filters.wanted()
        found = news(wanted, seen=Seen.from_text(request.GET.get("seen", "")))
        answer = {
            "seen": found.seen.as_text(),
            "count": len(found.lines),
            "rows": render_to_string("tracking/debugger_rows.html", {"lines": found.lines}),
        }
        if request.GET.get("overview"):
            context = overview(wanted or filters.nothing())
            answer["overview"] = render_to_string("tracking/debugger_overview.html", context)
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})


class Pseudonym(SitesAnswer):
    """The pseudonym of a raw user id. It comes by POST, so that the id stands in no address and no log.

    While keys are being rotated it is the oldest that is stored; the filter follows it to that of today.
    """

    permission_required = SEE_EVENTS

    def post(self, request: HttpRequest) -> JsonResponse:
        customer_id, user = request.POST.get("customer_id", ""), request.POST.get("user", "")
        known = {one.customer_id for one in reach.customers(request.user, SEE_EVENTS)}
        if not user or customer_id not in known:
            return JsonResponse({"error": str(_("Choose a customer and type a user id."))}, status=400)
        return JsonResponse(
            {"user": keys.living(customer_id, user)[-1]}, headers={"Cache-Control": "no-store"}
        )


def news(wanted: Wanted | None, *, seen: Seen) -> News:
    return News(seen=seen) if wanted is None else debugger.news(wanted, seen=seen)


def overview(wanted: Wanted) -> dict[str, Any]:
    """Requests per minute, what looks wrong, and, where refused requests are asked for, why they were."""
    groups = refused.groups(wanted) if wanted.outcome == REFUSED else []
    return {
        "shows_mistakes": wanted.outcome == REFUSED,
        "mistakes": groups[:MOST_MISTAKES],
        "more_mistakes": max(len(groups) - MOST_MISTAKES, 0),
        "chart": Chart(pulse.minutes(wanted), wanted),
        "suspicions": list(pulse.suspicions(wanted.customer_id)) if wanted.customer_id else [],
    }
