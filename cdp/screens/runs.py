"""One dataflow with its history, and one run with its errors (reference `cdp.md` 2.1, 2.5)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import orjson
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext
from wagtail.admin import messages

from cdp.dataflows import clearing, lifecycle, payloads, stages
from cdp.dataflows.interpret.read import Row
from cdp.dataflows.models import Run
from cdp.screens.dataflows import (
    ACTIVATE,
    NEEDED,
    SEE_PEOPLE,
    VIEW,
    DataflowPage,
    being_processed,
    findings_of,
)
from config.spreadsheets import neutral

PER_PAGE = 50
UNREADABLE = "unreadable"


class Details(DataflowPage):
    template_name = "cdp/dataflows/details.html"
    actions = tuple(NEEDED)
    action_permissions: ClassVar = NEEDED

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        runs = self.dataflow.runs.order_by("-pk")
        first = stages.missing(self.dataflow).first
        return super().get_context_data(**kwargs) | {
            "page": Paginator(runs, PER_PAGE).get_page(self.request.GET.get("p")),
            "next_stage": first,
            "next_label": stages.Stage(first).label,
        }

    def do_pause(self) -> HttpResponse:
        lifecycle.pause(self.dataflow)
        messages.success(self.request, gettext("Paused: what is delivered is held from now on."))
        return redirect("cdp_dataflow", self.dataflow.pk)

    def do_resume(self) -> HttpResponse:
        count = lifecycle.resume(self.dataflow)
        messages.success(self.request, f"{gettext('Active again.')} {being_processed(count)}")
        return redirect("cdp_dataflow", self.dataflow.pk)

    def do_clone(self) -> HttpResponse:
        self.concerned = copy = lifecycle.clone(self.dataflow)
        messages.success(self.request, gettext("A copy was made; give it a name."))
        return redirect("cdp_dataflow_general", copy.pk)

    def do_delete(self) -> HttpResponse:
        with_data = "more" in self.request.POST
        lifecycle.archive(self.dataflow, with_data=with_data)
        stays = gettext("The dataflow was deleted; what it stored stays.")
        goes = gettext("The dataflow was deleted; what it stored is being removed.")
        messages.success(self.request, goes if with_data else stays)
        return redirect("dataflows:index")


class RunDetails(DataflowPage):
    template_name = "cdp/dataflows/run.html"
    actions: ClassVar[tuple[str, ...]] = ("cancel",)
    action_permissions: ClassVar = {"cancel": ACTIVATE}

    @cached_property
    def run(self) -> Run:
        return get_object_or_404(self.dataflow.runs, pk=self.kwargs["run"])

    def do_cancel(self) -> HttpResponse:
        clearing.cancel(self.run)
        messages.success(self.request, gettext("The run was cancelled."))
        return redirect("cdp_dataflow", self.dataflow.pk)

    def get_page_title(self) -> str:
        run = self.run
        word = pgettext("for good, no draft", "Live") if run.is_live else gettext("Draft")
        at = date_format(run.started_at, "Y-m-d H:i:s")
        return f"{word}: {run.get_kind_display()}, {at} UTC"

    def get_page_subtitle(self) -> str:
        return self.dataflow.name

    def trail(self) -> list[dict[str, Any]]:
        here = {"url": reverse("cdp_dataflow", args=[self.dataflow.pk]), "label": self.dataflow.name}
        return [*super().trail(), here]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        run = self.run
        may_see = self.is_allowed(SEE_PEOPLE)
        has_refused = may_see and run.payloads.exclude(sealed_refused="").exists()
        return (
            super().get_context_data(**kwargs) | findings_of(run) | {"run": run, "has_refused": has_refused}
        )


class RefusedRows(RunDetails):
    """Rows that were refused, as a file to be mended and delivered again. They are people's own data."""

    permission_required = (VIEW, SEE_PEOPLE)
    actions = ()

    def get(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> Any:  # noqa: ARG002
        run = self.run
        self.log(self.dataflow, "refused_rows")
        names = list(dict.fromkeys(name for row in payloads.refused_rows(run) for name in columns(row)))
        response = StreamingHttpResponse(lines(run, names), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="refused-{run.number}.csv"'
        response["Cache-Control"] = "no-store"
        return response


class Echo:
    def write(self, text: str) -> str:
        return text


def lines(run: Run, names: list[str]) -> Iterator[str]:
    """A cell that a spreadsheet would take for a formula is made a text."""
    writer = csv.writer(Echo())
    yield writer.writerow([neutral(name, numbers=True) for name in names])
    for found in payloads.refused_rows(run):
        row = columns(found)
        yield writer.writerow([neutral(cell(row.get(name)), numbers=True) for name in names])


def columns(row: Row | str) -> Row:
    """A row that nobody can read has its text in a column of its own."""
    return {UNREADABLE: row} if isinstance(row, str) else row


def cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
