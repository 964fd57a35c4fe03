"""A/B tests of scenarios in the back office: begun, looked at, ended (engine-protocol.md 6.9).

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from personalization.screens.charts import HUNDRED, said
from personalization.screens.customer_choice import chosen, customers
from personalization.server.models import Scenario, ScenarioTest
from personalization.server.statistics import experiments
from personalization.server.statistics.significance import Verdict
from tracking.screens.debugger import AdminPage

SEE, BEGIN, END = (f"engine.{action}_scenariotest" for action in ("view", "add", "change"))
MOST = 50


class BeginForm(forms.Form):
    scenario_a = forms.ChoiceField(label=_("Scenario A, as it is now"))
    scenario_b = forms.ChoiceField(label=_("Scenario B, which is tried"))
    share_b = forms.IntegerField(
        label=_("Users who get B, in percent"), min_value=1, max_value=experiments.SHARES[-1], initial=10
    )
    weeks = forms.IntegerField(label=_("Weeks"), min_value=1, max_value=experiments.WEEKS[-1], initial=2)

    def __init__(self, customer_id: str, *args: Any) -> None:
        super().__init__(*args)
        names = Scenario.objects.filter(customer_id=customer_id).order_by("identifier")
        choices = [(name, name) for name in names.values_list("identifier", flat=True)]
        for name in ("scenario_a", "scenario_b"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]


class ScenarioTests(AdminPage):
    permission_required = SEE
    raise_exception = True
    page_title = _("A/B tests")
    header_icon = "view"
    template_name = "personalization/dashboard/tests.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        customer = chosen(self.request)
        context |= {"customers": customers(), "customer": customer}
        if customer is None:
            return context
        rows = of_customer(customer)
        now, test = timezone.now(), self.looked_at(rows)
        context.setdefault("form", BeginForm(customer))
        return context | {
            "rows": [(row, row.status_at(now)) for row in rows[:MOST]],
            "test": test,
            "outcome": words(test, experiments.outcome(test)) if test else [],
            "may_begin": self.request.user.has_perm(BEGIN),
            "may_end": self.request.user.has_perm(END),
        }

    def looked_at(self, rows: QuerySet[ScenarioTest]) -> ScenarioTest | None:
        key = self.request.GET.get("test", "")
        return get_object_or_404(rows, pk=key_of(key)) if key else None

    def post(self, request: HttpRequest) -> HttpResponse:
        customer, action = chosen(request), request.POST.get("action")
        if customer is None or action not in ("begin", "end"):
            raise Http404
        if not request.user.has_perm(BEGIN if action == "begin" else END):
            raise PermissionDenied
        return self.begin(customer) if action == "begin" else self.end(customer)

    def begin(self, customer: str) -> HttpResponse:
        form = BeginForm(customer, self.request.POST)
        if form.is_valid():
            try:
                test = experiments.begin(customer, **form.cleaned_data)
            except experiments.WrongTest as fault:
                form.add_error(None, str(fault))
            else:
                messages.success(self.request, gettext("The test %(test)s runs.") % {"test": test})
                return redirect(address(customer))
        answer: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        return answer

    def end(self, customer: str) -> HttpResponse:
        key = key_of(self.request.POST.get("test", ""))
        test = get_object_or_404(of_customer(customer), pk=key)
        experiments.end(test)
        messages.success(self.request, gettext("The test has ended: everybody gets A again."))
        return redirect(address(customer, test=key))


def of_customer(customer_id: str) -> QuerySet[ScenarioTest]:
    return ScenarioTest.objects.filter(customer_id=customer_id).order_by("-starts_at", "-pk")


def key_of(text: str) -> int:
    """The key of a row as a browser sends it; 0, which no row has, for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def address(customer_id: str, **more: Any) -> str:
    return reverse("personalization_tests:index") + "?" + urlencode({"customer": customer_id} | more)


def words(test: ScenarioTest, found: Verdict | None) -> list[str]:
    """What came of a test, in sentences. The interval holds the true difference 95 times out of 100."""
    if found is None:
        return [gettext("Nothing can be said yet: one of the scenarios has not been asked for.")]
    names = {"a": test.scenario_a, "b": test.scenario_b}
    shares = {"share_a": percent(found.share_a), "share_b": percent(found.share_b)}
    told = [
        gettext("Of the calls of %(a)s %(share_a)s were followed, of those of %(b)s %(share_b)s.")
        % (names | shares),
        gettext("The difference (B less A) lies between %(low)s and %(high)s percentage points (95 %%).")
        % {"low": points(found.low), "high": points(found.high)},
    ]
    if found.is_significant:
        better = test.scenario_b if found.difference > 0 else test.scenario_a
        return [
            *told,
            gettext("%(better)s is better; chance seldom makes such a difference.") % {"better": better},
        ]
    told.append(gettext("It may be chance: neither is shown to be better."))
    if found.needed:
        told.append(
            gettext("About %(calls)s calls of each would show a difference of this size.")
            % {"calls": said(found.needed)}
        )
    return told


def percent(share: float) -> str:
    return said(HUNDRED * share, "percent")


def points(share: float) -> str:
    return said(HUNDRED * share, "money")


class TestsItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(getattr(request, "user", None) and request.user.has_perm(SEE))


class ScenarioTestScreens(ViewSet):  # type: ignore[misc]
    name = "personalization_tests"
    url_prefix = "personalization/tests"
    menu_label = _("A/B tests")
    icon = "view"

    @property
    def menu_url(self) -> str:
        return reverse("personalization_tests:index")

    def get_menu_item(self, order: int | None = None) -> MenuItem:
        return TestsItem(
            self.menu_label, self.menu_url, name=self.name, icon_name=self.icon, order=order or 0
        )

    def get_urlpatterns(self) -> list[URLPattern]:
        return [path("", ScenarioTests.as_view(), name="index")]
