"""What the pages of one dataflow share: where it stands, and what may be done with it (`cdp.md` 2.1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cdp.dataflows import mapping, stages
from cdp.dataflows.configuration import Configuration
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, Run
from cdp.dataflows.run import MOST_ERRORS
from cdp.dataflows.stages import Stage
from cdp.profiles.models import Account
from cdp.screens import access, findings
from cdp.screens.page import Page
from cdp.screens.sure import SurePage, Words

VIEW, CHANGE = "dataflows.view_dataflow", "dataflows.change_dataflow"
ACTIVATE = "dataflows.activate_dataflow"
SEE_PEOPLE = "profiles.view_profile"
ACTIONS = {
    "pause": Words(
        _("Pause"), _("What is delivered is held from then on, until the dataflow is resumed."), "no-view"
    ),
    "resume": Words(
        _("Resume"), _("What was held is processed, and what is delivered from then on too."), "view"
    ),
    "clone": Words(
        _("Clone"), _("A draft with the same settings is made. It gets a stream of its own."), "copy"
    ),
    "delete": Words(
        _("Delete"),
        _("Its stream is closed at once, and what waits is thrown away. What it stored stays."),
        "bin",
        _(
            "Remove what it stored too: what it said of people, what they did, and rows of catalogues. People"
            " of whom nothing else is known leave their audiences."
        ),
    ),
}
NEEDED = {"pause": ACTIVATE, "resume": ACTIVATE, "clone": CHANGE, "delete": CHANGE}


def offered(row: Dataflow, may: Callable[[str], bool]) -> list[str]:
    """Actions on a dataflow as it is, for somebody who has these permissions."""
    Status = Dataflow.Status
    fits = {"pause": row.status == Status.ACTIVE, "resume": row.status == Status.PAUSED}
    return [name for name, needed in NEEDED.items() if may(needed) and fits.get(name, True)]


def findings_of(run: Run | None) -> dict[str, Any]:
    """What was wrong with its rows, for a page that shows it."""
    errors = list(run.errors.all()) if run else []
    types = known_types(stages.in_hand(run.dataflow)) if run and errors else {}
    is_cut = len(errors) >= MOST_ERRORS
    return {"findings": findings.found(errors, types), "is_cut": is_cut, "most": MOST_ERRORS}


def known_types(configuration: Configuration) -> dict[str, str]:
    """Column -> type, as far as the transformations can be understood."""
    try:
        return mapping.column_types(configuration)
    except DataflowFault:
        return {one.name: one.type for one in configuration.columns if one.included}


class DataflowPage(Page):
    """A page of one dataflow; of a stage if it names one."""

    permission_required: Any = VIEW
    header_icon = "download"
    stage = ""

    @cached_property
    def dataflow(self) -> Dataflow:
        rows = Dataflow.objects.exclude(status=Dataflow.Status.ARCHIVED).select_related("account")
        known = access.visible(rows, self.request.user, VIEW)
        found: Dataflow = get_object_or_404(known, pk=self.kwargs["pk"])
        return found

    def whose(self) -> Account:
        return self.dataflow.account

    def subject(self) -> Dataflow:
        return self.dataflow

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.stage and self.has_permission():
            missing = stages.missing(self.dataflow)
            if not missing.is_open(self.stage):
                return redirect(f"cdp_dataflow_{missing.first}", self.dataflow.pk)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get_page_title(self) -> str:
        return str(Stage(self.stage).label) if self.stage else self.dataflow.name

    def get_page_subtitle(self) -> str:
        return self.dataflow.name if self.stage else ""

    def trail(self) -> list[dict[str, Any]]:
        trail = [{"url": reverse("dataflows:index"), "label": gettext("Data Manager")}]
        if self.stage:
            trail.append(
                {"url": reverse("cdp_dataflow", args=[self.dataflow.pk]), "label": self.dataflow.name}
            )
        return trail

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        missing = stages.missing(self.dataflow)
        context["steps"] = [
            {
                "label": Stage(one).label,
                "url": reverse(f"cdp_dataflow_{one}", args=[self.dataflow.pk]),
                "is_open": missing.is_open(one),
                "is_done": not missing.problems[one],
                "is_current": one == self.stage,
            }
            for one in Stage.values
        ]
        context["problems"] = missing.problems.get(self.stage, [])
        return context | {
            "dataflow": self.dataflow,
            "may_change": self.is_allowed(CHANGE),
            "may_activate": self.is_allowed(ACTIVATE),
        }

    def do_keep(self) -> HttpResponse:
        """Save, and stay."""
        self.do_save()
        return self.to(self.stage)

    def do_save(self) -> HttpResponse:
        raise NotImplementedError

    def to(self, stage: str) -> HttpResponse:
        return redirect(f"cdp_dataflow_{stage}", self.dataflow.pk)


class Sure(SurePage, DataflowPage):
    """What an action in the list of dataflows will do."""

    words = ACTIONS
    one_url, list_url = "cdp_dataflow", "dataflows:index"

    def row(self) -> Dataflow:
        return self.dataflow

    def offered(self) -> list[str]:
        return offered(self.dataflow, self.is_allowed)

    def get_page_subtitle(self) -> str:
        return ""


def being_processed(count: int) -> str:
    """What becomes of so many held deliveries; nothing for none."""
    words = ngettext(
        "%(count)d held delivery is being processed.", "%(count)d held deliveries are being processed.", count
    )
    return words % {"count": count} if count else ""
