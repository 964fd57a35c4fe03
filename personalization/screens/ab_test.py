"""One A/B test: its figures, its end, and what may follow from it (reference `engine-protocol.md` 6.9)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from personalization.screens import ab_figures, access
from personalization.screens.ab_tests import CHANGE, STATUS_WORDS, VIEW, called
from personalization.screens.chart_files import csv_file
from personalization.screens.figures import KEPT_SECONDS
from personalization.screens.page import Page
from personalization.server.models import Scenario, ScenarioTest
from personalization.server.models import TestStatus as Status
from personalization.server.scenarios import changes
from personalization.server.statistics import experiments, outcomes
from personalization.server.statistics.outcomes import Outcome
from personalization.server.wrong import Problem, Wrong


class TestPage(Page):
    """A page of A/B tests."""

    header_icon = "sliders"
    faults: ClassVar = (Wrong,)

    def missing(self) -> list[str]:
        return [] if access.anywhere(self.request.user, VIEW, CHANGE) else [VIEW]

    @cached_property
    def row(self) -> ScenarioTest:
        known = access.customer_ids(self.request.user, VIEW, CHANGE)
        return get_object_or_404(ScenarioTest, customer_id__in=known, pk=self.kwargs["pk"])

    def is_allowed(self, permission: str) -> bool:
        if "pk" not in self.kwargs:
            return access.anywhere(self.request.user, permission)
        return access.may(self.request.user, permission, self.row.customer_id)

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("personalization_tests:index"), "label": gettext("A/B tests")}]


def kept_outcome(test: ScenarioTest) -> Outcome | None:
    """What came of it, kept for a minute: it needs the whole lake of its time."""
    key = f"ab-test:1:{test.pk}:{test.ends_at.timestamp():.0f}"
    found: tuple[Outcome | None] | None = cache.get(key)
    if found is None:
        found = (outcomes.outcome(test),)
        cache.set(key, found, KEPT_SECONDS)
    return found[0]


class OneTest(TestPage):
    template_name = "personalization/ab_tests/test.html"

    def get_page_title(self) -> str:
        return called(self.row)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row, now = self.row, timezone.now()
        status, found = row.status_at(now), kept_outcome(row)
        scenarios = {one.identifier: one for one in scenarios_of(row)}
        may_change = self.is_allowed(CHANGE)
        return super().get_context_data(**kwargs) | {
            "test": row,
            "status": status,
            "status_words": STATUS_WORDS[status],
            "sides": [
                ("A", row.scenario_a, scenarios.get(row.scenario_a)),
                ("B", row.scenario_b, scenarios.get(row.scenario_b)),
            ],
            "share_a": 100 - row.share_b,
            "found": found,
            "says": ab_figures.says(found, is_over=status == Status.ARCHIVED) if found else "",
            "indicators": ab_figures.indicators(found, share_b=row.share_b) if found else [],
            "charts": ab_figures.charts(found) if found else [],
            "first_hour": outcomes.first_hour(row),
            "may_end": may_change and status != Status.ARCHIVED,
            "may_take_over": may_change
            and status != Status.PREPARED
            and len(scenarios) == len((row.scenario_a, row.scenario_b))
            and self.is_allowed(access.CHANGE_SCENARIOS),
            "may_see_scenarios": self.is_allowed(access.VIEW_SCENARIOS)
            or self.is_allowed(access.CHANGE_SCENARIOS),
        }


def scenarios_of(test: ScenarioTest) -> list[Scenario]:
    """Those of both that are still there."""
    names = (test.scenario_a, test.scenario_b)
    return list(Scenario.objects.filter(customer_id=test.customer_id, identifier__in=names))


class TestChart(TestPage):
    """A chart of a test as a file."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ARG002
        found = kept_outcome(self.row)
        drawn = ab_figures.charts(found) if found else []
        return csv_file(drawn, self.kwargs["chart"], f"test-{self.row.pk}")


class Sure(TestPage):
    """Asks before something is done to a test."""

    template_name = "personalization/ab_tests/sure.html"
    needed = CHANGE

    def subject(self) -> ScenarioTest:
        return self.row

    def missing(self) -> list[str]:
        needed = dict.fromkeys((CHANGE, self.needed))
        return super().missing() or [one for one in needed if not self.is_allowed(one)]

    def trail(self) -> list[dict[str, Any]]:
        return [*super().trail(), {"url": self.back(), "label": called(self.row)}]

    def back(self) -> str:
        return reverse("personalization_test", args=[self.row.pk])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"test": self.row, "back": self.back()}


class EndTest(Sure):
    page_title = _("End the test")
    actions = ("end",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = gettext(
            "End the test %(test)s? Everybody is answered by %(a)s within a second. Its figures stay; the "
            "test cannot be taken up again."
        ) % {"test": called(self.row), "a": self.row.scenario_a}
        return super().get_context_data(**kwargs) | {
            "says": words,
            "action": "end",
            "yes": gettext("Yes, end it"),
            "no": gettext("No, let it run"),
        }

    def do_end(self) -> HttpResponse:
        if experiments.end(self.row):
            messages.success(self.request, gettext("The test has ended; everybody is answered by A."))
        else:
            self.is_unchanged = True
            messages.warning(self.request, gettext("The test had ended already."))
        return redirect(self.back())


class TakeOver(Sure):
    """What B has becomes A's, so that pages need no change."""

    page_title = _("Use B for everyone")
    actions = ("take_over",)
    needed = access.CHANGE_SCENARIOS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        told = {"a": self.row.scenario_a, "b": self.row.scenario_b}
        words = gettext(
            "Give %(a)s the models, levels, filters and types of %(b)s? Its name and identifier stay, so "
            "pages need no change. What %(a)s has now is lost: copy it first if you may want it back. A test "
            "that still runs ends."
        )
        versions = {one.identifier: changes.version_of(one) for one in scenarios_of(self.row)}
        return super().get_context_data(**kwargs) | {
            "says": words % told,
            "action": "take_over",
            "yes": gettext("Yes, use B for everyone"),
            "no": gettext("No, keep A"),
            "hidden": {
                "version_a": versions.get(self.row.scenario_a, ""),
                "version_b": versions.get(self.row.scenario_b, ""),
            },
        }

    def do_take_over(self) -> HttpResponse:
        if self.row.status_at(timezone.now()) == Status.PREPARED:
            said = gettext("The test has not begun; nothing was compared yet.")
            raise Wrong([Problem("", said)])
        given = {name: self.request.POST.get(name, "") for name in ("version_a", "version_b")}
        scenario = experiments.take_over(self.row, **given)
        self.log(scenario, "take_over")  # the test is the page's
        said = gettext("%(a)s now recommends as %(b)s does.")
        told = {"a": self.row.scenario_a, "b": self.row.scenario_b}
        messages.success(self.request, said % told)
        return redirect(self.back())
