"""The form that begins an A/B test, and its page (reference `engine-protocol.md` 6.9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from personalization.screens import audit
from personalization.screens.ab_test import TestPage
from personalization.screens.ab_tests import CHANGE
from personalization.screens.making import ForCustomer
from personalization.server.models import Scenario, ScenarioTest
from personalization.server.statistics import experiments
from personalization.server.wrong import Wrong

MOMENT = "%Y-%m-%dT%H:%M"  # as browsers send it
NOW, LATER = "now", "later"


class TestForm(forms.Form):
    """What the rules of :mod:`experiments` say of it is put beside the fields."""

    scenario_a = forms.ChoiceField(
        label=_("Scenario A"), help_text=_("The one that pages ask for now; most users keep getting it.")
    )
    scenario_b = forms.ChoiceField(
        label=_("Scenario B"),
        help_text=_("Answers in place of A; it must have the same output types. Pages need no change."),
    )
    share_b = forms.IntegerField(
        label=_("Share of B (percent)"),
        min_value=experiments.SHARES.start,
        max_value=experiments.SHARES.stop - 1,
        initial=10,
        help_text=_("Of the users, always the same ones: 1 to 50."),
    )
    weeks = forms.IntegerField(
        label=_("Weeks"),
        min_value=experiments.WEEKS.start,
        max_value=experiments.WEEKS.stop - 1,
        initial=2,
        help_text=_("1 to 8. Whole weeks hold every day of the week equally often."),
    )
    begin = forms.ChoiceField(
        label=_("Beginning"),
        choices=[(NOW, _("Now")), (LATER, _("Later"))],
        widget=forms.RadioSelect,
        initial=NOW,
    )
    starts_at = forms.DateTimeField(
        label=_("Date and time"),
        required=False,
        widget=forms.DateTimeInput(format=MOMENT, attrs={"type": "datetime-local"}),
        error_messages={"invalid": _("A date and time looks like 2026-01-31 09:00.")},
    )

    def __init__(self, scenarios: Sequence[Scenario], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.identifier, f"{one.name} ({one.identifier})") for one in scenarios]
        for name in ("scenario_a", "scenario_b"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - narrows the type
            field.choices = [("", _("Choose a scenario")), *choices]
        self.fields["starts_at"].help_text = gettext("For Later; time zone %(zone)s.") % {
            "zone": settings.TIME_ZONE
        }

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("begin") == LATER and not given.get("starts_at") and "starts_at" not in self.errors:
            self.add_error("starts_at", gettext("Choose when the test begins."))
        return given

    def starts(self) -> datetime | None:
        """None: now."""
        moment: datetime | None = self.cleaned_data["starts_at"]
        return moment if self.cleaned_data["begin"] == LATER else None

    def refuse(self, fault: Wrong) -> None:
        """Put what the rules say beside the fields."""
        for field, message in fault.problems:
            self.add_error(field or None, message)


class NewTest(ForCustomer, TestPage):
    page_title = _("Begin an A/B test")
    making = CHANGE
    template_name = "personalization/ab_tests/new.html"
    actions = ("begin",)
    logged: ClassVar = {"begin": audit.CREATE}
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)
    form: TestForm | None = None

    @cached_property
    def scenarios(self) -> list[Scenario]:
        return list(Scenario.objects.filter(customer_id=self.account.customer_id).order_by("name"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        first = {"scenario_a": self.request.GET.get("scenario", "")}
        return super().get_context_data(**kwargs) | {
            "form": self.form or TestForm(self.scenarios, initial=first),
            "account": self.account,
            "accounts": self.accounts(),
        }

    def do_begin(self) -> HttpResponse:
        self.concerned = row = self.begun()
        messages.success(self.request, gettext("The test was stored; it ends by itself."))
        return redirect("personalization_test", row.pk)

    def begun(self) -> ScenarioTest:
        self.form = form = TestForm(self.scenarios, self.request.POST)
        if not form.is_valid():
            raise Wrong([])
        given = form.cleaned_data
        return experiments.begin(
            self.account.customer_id,
            scenario_a=given["scenario_a"],
            scenario_b=given["scenario_b"],
            share_b=given["share_b"],
            starts_at=form.starts(),
            weeks=given["weeks"],
        )

    def words_of(self, fault: Exception) -> str:
        if self.form is not None and isinstance(fault, Wrong):
            self.form.refuse(fault)
        return gettext("The test could not be begun; what is wrong stands beside the fields.")
