"""The five stages of a dataflow but the fourth, which is in `transform` (reference `cdp.md` 2.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from cdp.dataflows import editing, lifecycle, sample, stages, states, stream_ids, trial, turns, upload
from cdp.dataflows.configuration import Parsing
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, Run
from cdp.dataflows.stages import Stage
from cdp.profiles.models import Account
from cdp.screens import findings, forms
from cdp.screens.dataflows import ACTIVATE, CHANGE, SEE_PEOPLE, DataflowPage, being_processed, findings_of
from cdp.screens.page import Page
from personalization.screens import audit

COMMANDS = (
    "stream_user_data",
    "stream_product_data --product-type=…",
    "stream_content_data --content-type=…",
)


class NewDataflow(Page):
    """Stage 1 of a dataflow that is not there yet."""

    permission_required = CHANGE
    template_name = "cdp/dataflows/general.html"
    page_title = _("Create new dataflow")
    header_icon = "download"
    actions = ("save", "keep")
    logged: ClassVar = {"save": audit.CREATE, "keep": audit.CREATE}

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("dataflows:index"), "label": gettext("Data Manager")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "form": forms.General(self.request.POST or None),
            "accounts": self.accounts(),
            "may_change": True,
        }

    def account(self) -> Account:
        numbers = {str(one.pk): one for one in self.accounts()}
        account: Account | None = numbers.get(self.request.POST.get("account", ""))
        if account is None:
            raise DataflowFault("required", gettext("Choose an account."), field="account")
        return account

    def created(self) -> Dataflow:
        made = lifecycle.create(self.account(), **forms.general_of(self.request.POST))
        self.concerned = made
        return made

    def do_save(self) -> HttpResponse:
        return redirect("cdp_dataflow_download", self.created().pk)

    def do_keep(self) -> HttpResponse:
        dataflow = self.created()
        messages.success(self.request, gettext("Saved."))
        return redirect("cdp_dataflow_general", dataflow.pk)


class General(DataflowPage):
    stage = Stage.GENERAL
    template_name = "cdp/dataflows/general.html"
    actions = ("save", "keep")
    action_permissions: ClassVar = {"save": CHANGE, "keep": CHANGE}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.dataflow
        initial = {
            "name": row.name,
            "source": row.source,
            "destination": row.destination,
            "description": row.description,
        }
        return super().get_context_data(**kwargs) | {
            "form": forms.General(self.request.POST or None, initial=initial)
        }

    def do_save(self) -> HttpResponse:
        lifecycle.save_general(self.dataflow, **forms.general_of(self.request.POST))
        messages.success(self.request, gettext("Saved."))
        return self.to(Stage.DOWNLOAD)


class Download(DataflowPage):
    stage = Stage.DOWNLOAD
    template_name = "cdp/dataflows/download.html"
    actions = ("validate", "rotate", "upload")
    action_permissions: ClassVar = {"validate": CHANGE, "rotate": CHANGE, "upload": CHANGE}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        stream = shown_stream_id(self)
        options = f"--stream-id={stream} --draft"
        return context | {
            "stream_id": stream,
            "commands": "\n".join(f".venv/bin/python manage.py {one} {options}" for one in COMMANDS),
            "received": received(self.dataflow),
            "feed_url": reverse("cdp_dataflow_received", args=[self.dataflow.pk]),
        }

    def do_validate(self) -> HttpResponse:
        run = editing.validate(self.dataflow)
        words = gettext("The draft of %(rows)d rows is fine and is the sample now.")
        messages.success(self.request, words % {"rows": run.received})
        return self.to(Stage.MAPPING)

    def do_rotate(self) -> HttpResponse:
        stream_ids.rotate(self.dataflow)
        words = gettext(
            "The stream has a new id. Put it into your configuration; the old one is unknown now."
        )
        messages.success(self.request, words)
        return self.to(Stage.DOWNLOAD)

    def do_upload(self) -> HttpResponse:
        file = self.request.FILES.get("file")
        if file is None:
            raise DataflowFault("required", gettext("Choose a file."), field="file")
        if (file.size or 0) > upload.MOST_BYTES:
            raise DataflowFault("too_large", gettext("The file is too large; send it as a stream."))
        is_draft = self.request.POST.get("mode") != "production"
        rows = upload.take(self.dataflow, name=file.name or "", body=file.read(), is_draft=is_draft)
        messages.success(self.request, gettext("%(rows)d rows were delivered.") % {"rows": rows})
        return self.to(Stage.DOWNLOAD)


def shown_stream_id(page: DataflowPage) -> str:
    """The stream id for those who may change the dataflow: whoever has it can send data."""
    return stream_ids.stream_id(page.dataflow) if page.is_allowed(CHANGE) else "…"


def received(dataflow: Dataflow) -> dict[str, Any]:
    """What has arrived as a draft, and what is held."""
    newest = sample.newest(dataflow)
    held = dataflow.runs.filter(state=Run.State.HELD)
    return {
        "sample": newest,
        "held_runs": held.count(),
        "held_rows": sum(held.values_list("received", flat=True)),
    }


class Received(DataflowPage):
    """The line *waiting for data*, asked for every three seconds."""

    def get(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        html = render_to_string(
            "cdp/dataflows/received.html", {"received": received(self.dataflow)}, request=request
        )
        return JsonResponse({"html": html}, headers={"Cache-Control": "no-store"})


class FileMapping(DataflowPage):
    stage = Stage.MAPPING
    template_name = "cdp/dataflows/mapping.html"
    actions = ("save", "keep", "parse")
    action_permissions: ClassVar = {"save": CHANGE, "keep": CHANGE, "parse": CHANGE}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        configuration = stages.in_hand(self.dataflow)
        found = {}
        if configuration.parsing and self.dataflow.sample and not self.dataflow.parse_required:
            reading = sample.reading_of(self.dataflow, configuration.parsing)
            try:
                loaded = sample.load(self.dataflow.sample, configuration.parsing, reading)
                found = {one.source: one for one in loaded.columns}
                if not self.is_allowed(SEE_PEOPLE):
                    found = {name: replace(one, examples=()) for name, one in found.items()}
            except DataflowFault as fault:
                messages.error(self.request, str(fault))
        return context | {
            "configuration": configuration,
            "parsing": forms.ParsingForm.of(configuration.parsing, self.request.POST or None),
            "columns": forms.column_rows(configuration.columns, found, context["posted"]),
            "types": [(one, findings.type_name(one)) for one in forms.TYPES],
            "is_recognised": configuration.parsing is not None,
        }

    def parsing(self) -> Parsing:
        return forms.ParsingForm(self.request.POST).parsing()

    def do_parse(self) -> HttpResponse:
        editing.parse(self.dataflow, self.parsing())
        messages.success(self.request, gettext("The file was parsed; here are its columns."))
        return self.to(Stage.MAPPING)

    def do_save(self) -> HttpResponse:
        before = stages.in_hand(self.dataflow).parsing
        given = self.parsing() if "format" in self.request.POST else before
        if given is not None and given != before:
            editing.change_parsing(self.dataflow, given)
            words = gettext("The options changed: press Parse File to make the columns anew.")
            messages.warning(self.request, words)
            return self.to(Stage.MAPPING)
        columns = forms.columns_of(self.request.POST, stages.in_hand(self.dataflow).columns)
        editing.set_columns(self.dataflow, columns, ignore_missing="ignore_missing" in self.request.POST)
        messages.success(self.request, gettext("Saved."))
        return self.to(Stage.TRANSFORM)


class Activation(DataflowPage):
    stage = Stage.ACTIVATION
    template_name = "cdp/dataflows/activation.html"
    actions = ("test", "run", "activate", "schedule")
    action_permissions: ClassVar = {
        "test": CHANGE,
        "run": ACTIVATE,
        "activate": ACTIVATE,
        "schedule": ACTIVATE,
    }
    report: trial.Report | None = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        row = self.dataflow
        is_tested = bool(row.tested_hash) and row.tested_hash == stages.current_hash(row)
        tests = row.runs.filter(kind=Run.Kind.TEST).order_by("-pk")
        stream = shown_stream_id(self)
        return context | {
            "report": self.report if self.is_allowed(SEE_PEOPLE) else None,
            **findings_of(tests.first()),
            "last_test": tests.first(),
            "is_tested": is_tested,
            "is_active": row.status in states.IN_FORCE and not row.working_copy,
            "is_paused": row.status == Dataflow.Status.PAUSED,
            "received": received(row),
            "next_turn": turns.after(row, timezone.now()),
            "zone": row.account.time_zone,
            "commands": "\n".join(
                f".venv/bin/python manage.py {one} --stream-id={stream} --no-draft" for one in COMMANDS
            ),
        }

    def do_test(self) -> HttpResponse:
        self.report = trial.test(self.dataflow)
        answer: HttpResponse = self.get(self.request, **self.kwargs)
        return answer

    def do_run(self) -> HttpResponse:
        count = lifecycle.run_held(self.dataflow)
        messages.success(
            self.request, being_processed(count) or gettext("Nothing is held; there is nothing to run.")
        )
        return redirect("cdp_dataflow", self.dataflow.pk)

    def do_schedule(self) -> HttpResponse:
        lifecycle.set_schedule(self.dataflow, self.request.POST.get("schedule", ""))
        messages.success(self.request, gettext("Saved."))
        return self.to(Stage.ACTIVATION)

    def do_activate(self) -> HttpResponse:
        is_change = bool(self.dataflow.working_copy)
        count = lifecycle.activate(self.dataflow)
        follows = being_processed(count) or gettext("Nothing was held: now send the data with --no-draft.")
        words = gettext("The changes are in force.") if is_change else gettext("The dataflow is active.")
        messages.success(self.request, words if is_change else f"{words} {follows}")
        return redirect("cdp_dataflow", self.dataflow.pk)
