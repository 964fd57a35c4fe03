"""How good recommendations are on a customer's own events: reports, and having one made (docs/evaluation.md).

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from config.jobs import queue
from config.jobs.models import OPEN_STATES, Job, State
from personalization.screens import access, evaluation_figures
from personalization.screens.chart_files import csv_file
from personalization.screens.page import Page
from personalization.server.evaluation import reports
from personalization.server.evaluation.models import Evaluation
from personalization.server.evaluation.reports import Asked
from personalization.server.wrong import Wrong

VIEW, CHANGE = access.VIEW_MODELS, access.CHANGE_MODELS


class AskForm(forms.Form):
    """What is measured; how much is held back and how long lists are stay as they are by default."""

    signal = forms.ChoiceField(
        label=_("What people did"),
        choices=[(code, code) for code in reports.signals()],
        initial=Asked.signal,
        help_text=_("Which events are learnt and looked for."),
    )
    days = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=reports.MOST_DAYS,
        initial=int(Asked.days),
        help_text=_("How far back events are read."),
    )


class EvaluationPage(Page):
    """A page of evaluations."""

    header_icon = "clipboard-list"
    faults: ClassVar = (Wrong,)

    def missing(self) -> list[str]:
        return [] if access.anywhere(self.request.user, VIEW, CHANGE) else [VIEW]


class Evaluations(EvaluationPage):
    """The reports of one customer, and what is under way."""

    page_title = _("Evaluation")
    template_name = "personalization/evaluations/index.html"
    actions = ("measure", "cancel")
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)
    logged: ClassVar = {"cancel": "cancel_evaluation"}
    form: AskForm | None = None

    @cached_property
    def customer(self) -> str | None:
        return access.chosen(self.request, VIEW, CHANGE)

    def is_allowed(self, permission: str) -> bool:
        return self.customer is not None and access.may(self.request.user, permission, self.customer)

    def subject(self) -> Job | None:
        """What is under way: a report is there only after it."""
        return reports.open_job(self.customer) if self.customer else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        customer = self.customer
        context |= {
            "customers": access.choices(self.request.user, VIEW, CHANGE),
            "customer": customer,
        }
        if customer is None:
            return context
        rows = list(Evaluation.objects.filter(customer_id=customer).order_by("-pk"))
        return (
            context
            | job_context(customer)
            | {
                "rows": [(row, evaluation_figures.lines(row)[0].values) for row in rows],
                "form": self.form or AskForm(),
                "may_change": self.is_allowed(CHANGE),
                "command": evaluation_figures.command(customer, rows[0] if rows else None),
                "progress_url": here(customer, name="progress"),
                "url": here(customer),
            }
        )

    def do_measure(self) -> HttpResponse:
        customer = self.customer
        if customer is None:
            raise Http404
        self.form = form = AskForm(self.request.POST)
        if not form.is_valid():
            raise Wrong([])
        given = form.cleaned_data
        self.is_unchanged = reports.open_job(customer) is not None
        self.concerned = reports.ask(customer, Asked(signal=given["signal"], days=given["days"]))
        messages.success(self.request, gettext("A worker measures; this page shows how far it is."))
        return redirect(here(customer))

    def do_cancel(self) -> HttpResponse:
        customer = self.customer
        job = reports.open_job(customer) if customer else None
        if job and queue.cancel(job.pk):
            messages.success(self.request, gettext("The evaluation is being cancelled."))
        else:
            self.is_unchanged = True
            messages.warning(self.request, gettext("No evaluation was under way."))
        return redirect(here(customer or ""))

    def words_of(self, fault: Exception) -> str:
        if self.form is not None and isinstance(fault, Wrong):
            for field, message in fault.problems:
                self.form.add_error(field or None, message)
        return gettext("Nothing was started; what is wrong stands beside the fields.")


def here(customer_id: str, *, name: str = "index") -> str:
    return f"{reverse(f'personalization_evaluation:{name}')}?{urlencode({'customer': customer_id})}"


def job_context(customer_id: str) -> dict[str, Any]:
    job = reports.newest_job(customer_id)
    is_open = job is not None and job.state in OPEN_STATES
    return {
        "job": job if is_open else None,
        "failed": job if job is not None and job.state in (State.FAILED, State.PARKED) else None,
        "reason": reason_of(job.error) if job is not None else "",
    }


def reason_of(error: str) -> str:
    """The last line: of what nobody foresaw the row has the whole trace, which is for the log."""
    return (error.strip().splitlines() or [""])[-1]


class Progress(EvaluationPage):
    """How far the evaluation is, for the script of the page."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ARG002
        customer = access.chosen(request, VIEW, CHANGE)
        if customer is None:
            raise Http404
        context = job_context(customer) | {
            "is_polled": True,
            "url": here(customer),
            "may_change": access.may(request.user, CHANGE, customer),
        }
        html = render_to_string("personalization/evaluations/job.html", context, request)
        return JsonResponse({"html": html})


class OneEvaluation(EvaluationPage):
    template_name = "personalization/evaluations/report.html"

    @cached_property
    def row(self) -> Evaluation:
        known = access.customer_ids(self.request.user, VIEW, CHANGE)
        return get_object_or_404(Evaluation, customer_id__in=known, pk=self.kwargs["pk"])

    def get_page_title(self) -> str:
        return gettext("Evaluation of %(signal)s events") % {"signal": self.row.signal}

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": here(self.row.customer_id), "label": gettext("Evaluation")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.row
        return super().get_context_data(**kwargs) | {
            "row": row,
            "conclusion": evaluation_figures.conclusion(row),
            "names": evaluation_figures.names_of(row),
            "lines": evaluation_figures.lines(row),
            "charts": evaluation_figures.charts(row),
            "command": evaluation_figures.command(row.customer_id, row),
        }


class EvaluationChart(OneEvaluation):
    """A chart of a report as a file."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ARG002
        drawn = evaluation_figures.charts(self.row)
        return csv_file(drawn, self.kwargs["chart"], f"evaluation-{self.row.pk}")


class EvaluationItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(getattr(request, "user", None) and access.anywhere(request.user, VIEW, CHANGE))


class EvaluationScreens(ViewSet):  # type: ignore[misc]
    name = "personalization_evaluation"
    url_prefix = "personalization/evaluation"
    menu_label = _("Evaluation")
    icon = "clipboard-list"

    @property
    def menu_url(self) -> str:
        return reverse("personalization_evaluation:index")

    def get_menu_item(self, order: int | None = None) -> MenuItem:
        return EvaluationItem(
            self.menu_label, self.menu_url, name=self.name, icon_name=self.icon, order=order or 0
        )

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", Evaluations.as_view(), name="index"),
            path("progress/", Progress.as_view(), name="progress"),
            path("<int:pk>/", OneEvaluation.as_view(), name="report"),
            path("<int:pk>/<slug:chart>.csv", EvaluationChart.as_view(), name="chart"),
        ]
