"""One scenario: general fields, the four levels, filters (reference `engine-protocol.md` 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from config.customers.directory import CustomerAccount
from config.customers.models import Customer
from personalization.screens import ab_tests, access, audit, scenario_form
from personalization.screens.making import ForCustomer
from personalization.screens.page import Page
from personalization.screens.scenario_form import ScenarioForm
from personalization.screens.scenarios import CHANGE, VIEW
from personalization.server.items import search
from personalization.server.models import Model, Scenario, ScenarioTest
from personalization.server.scenarios import changes
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import Strategy
from personalization.server.wrong import Wrong


class ScenarioPage(Page):
    """A page of one scenario."""

    header_icon = "list-ul"
    faults: ClassVar = (Wrong,)

    def missing(self) -> list[str]:
        return [] if access.anywhere(self.request.user, VIEW, CHANGE) else [VIEW]

    @cached_property
    def row(self) -> Scenario:
        known = access.customer_ids(self.request.user, VIEW, CHANGE)
        return get_object_or_404(Scenario, customer_id__in=known, pk=self.kwargs["pk"])

    @cached_property
    def account(self) -> CustomerAccount:
        known = access.customers(self.request.user, VIEW, CHANGE)
        return next(one for one in known if one.customer_id == self.row.customer_id)

    def is_allowed(self, permission: str) -> bool:
        return access.may(self.request.user, permission, self.account.customer_id)

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("personalization_scenarios:index"), "label": gettext("Scenarios")}]


class Editor(ScenarioPage):
    """What making and changing a scenario share."""

    template_name = "personalization/scenarios/editor.html"
    form: ScenarioForm | None = None
    levels: Sequence[Mapping[str, Any]] | None = None  # as they were sent

    @cached_property
    def models(self) -> list[Model]:
        return list(Model.objects.filter(customer_id=self.account.customer_id).order_by("name"))

    @cached_property
    def types(self) -> dict[int, str]:
        return search.types(self.account.customer_id)

    def stored(self) -> Scenario | None:
        return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.stored()
        form = self.form or ScenarioForm(row, self.types)
        levels = self.levels
        if levels is None:
            levels = Strategy.model_validate(row.strategy).model_dump(mode="json")["levels"] if row else []
        boosts: list[dict[str, Any]] = scenario_form.boosts_of(self.request.POST) if self.form else []
        if not self.form and row:
            boosts = Filters.model_validate(row.filters).model_dump()["boosts"]
        filled = [one for one in boosts if any(one.values())]
        problems = self.fault if isinstance(self.fault, Wrong) else Wrong([])
        return super().get_context_data(**kwargs) | {
            "scenario": row,
            "account": self.account,
            "form": form,
            "version": self.request.POST.get("version") or (changes.version_of(row) if row else ""),
            "board": scenario_form.board(levels, self.models),
            "pool": scenario_form.pool(self.models),
            "empty_card": {"divides": True, "context": "automatic", "data": "default"},
            "contexts": scenario_form.CONTEXTS,
            "data": scenario_form.DATA,
            "categories": scenario_form.CATEGORIES,
            "references": scenario_form.REFERENCES,
            "boosts": [*filled, {}] if len(filled) < scenario_form.BOOST_ROWS else filled,
            "strategy_problems": problems.of("strategy"),
            "boost_problems": problems.of("boosts"),
            "shows_commerce": self.account.kind == Customer.Kind.COMMERCE or self.has_commerce(form),
            "may_change": self.is_allowed(CHANGE),
            "can_be_reset": row is not None and changes.default_of(row) is not None,
            "tests": self.tests(row) if row else {},
        }

    def tests(self, row: Scenario) -> dict[str, Any]:
        """How many A/B tests it is part of, and where to look and to begin one; for whoever may."""
        may_begin = self.is_allowed(ab_tests.CHANGE)
        if not may_begin and not self.is_allowed(ab_tests.VIEW):
            return {}
        rows = ScenarioTest.objects.filter(customer_id=row.customer_id).of_scenario(row.identifier)
        return {
            "count": rows.count(),
            "url": ab_tests.list_url(row.customer_id, row.identifier),
            "new_url": ab_tests.new_url(row.customer_id, row.identifier) if may_begin else "",
        }

    def has_commerce(self, form: ScenarioForm) -> bool:
        """Whether a publisher's scenario has a filter of shops all the same."""
        return any(form[name].value() for name in scenario_form.COMMERCE)

    def read(self) -> changes.Given:
        """The form as it was sent. Raises :class:`Wrong`; the page then shows what was typed."""
        self.form = form = ScenarioForm(self.stored(), self.types, self.request.POST)
        try:
            self.levels = sent = scenario_form.levels_of(self.request.POST)
        except Wrong:
            self.levels = []
            raise
        if not form.is_valid():
            # The rest of what is wrong is said at once, too.
            problems: list[Any] = []
            changes.checked_strategy(
                self.account.customer_id, {"levels": scenario_form.filled(sent)}, problems
            )
            raise Wrong(problems)
        return form.given(self.request.POST)

    def words_of(self, fault: Exception) -> str:
        if self.form is None:
            return str(fault)
        if isinstance(fault, Wrong):
            self.form.refuse(fault)
        return gettext("The scenario could not be saved; what is wrong stands beside the fields.")


class NewScenario(ForCustomer, Editor):
    making = CHANGE
    page_title = _("Add scenario")
    actions = ("save", "close")
    logged: ClassVar = {"save": audit.CREATE, "close": audit.CREATE}
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"accounts": self.accounts()}

    def do_save(self) -> HttpResponse:
        row = self.created()
        return redirect("personalization_scenario", row.pk)

    def do_close(self) -> HttpResponse:
        self.created()
        return redirect("personalization_scenarios:index")

    def created(self) -> Scenario:
        given = self.read()
        form = self.form
        identifier = form.cleaned_data["identifier"] if form else ""
        row = changes.create(self.account.customer_id, identifier, given)
        self.concerned = row
        messages.success(self.request, gettext("The scenario was created."))
        return row


class OneScenario(Editor):
    actions = ("save", "close", "reset", "delete")
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)

    def stored(self) -> Scenario | None:
        return self.row

    def subject(self) -> Scenario:
        return self.row

    def get_page_title(self) -> str:
        return self.row.name

    def do_save(self) -> HttpResponse:
        self.saved()
        return redirect("personalization_scenario", self.row.pk)

    def do_close(self) -> HttpResponse:
        self.saved()
        return redirect("personalization_scenarios:index")

    def saved(self) -> None:
        given = self.read()
        changes.save(self.row, given, version=self.request.POST.get("version", ""))
        messages.success(self.request, gettext("Saved; answers follow within seconds."))

    def do_reset(self) -> HttpResponse:
        changes.reset(self.row)
        messages.success(self.request, gettext("The scenario is again as it was at first."))
        return redirect("personalization_scenario", self.row.pk)

    def do_delete(self) -> HttpResponse:
        changes.delete(self.row)
        messages.success(self.request, gettext("The scenario was deleted; calls for it are answered 404."))
        return redirect("personalization_scenarios:index")
