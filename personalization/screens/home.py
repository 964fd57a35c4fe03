"""Lodestar on the home page of the back office: a line for each thing to look at, with where to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from wagtail.admin.ui.components import Component
from wagtail.permissions import policy_registry

from config.checks import examine
from personalization.client.models import ExportRun
from personalization.server.models import ImportRun
from tracking import pulse
from tracking.screens.pages import SEE_EVENTS


@dataclass(frozen=True, kw_only=True)
class Line:
    """``amiss``: whether somebody should look at it."""

    text: str
    url: str
    icon: str
    amiss: bool = False


class LodestarPanel(Component):  # type: ignore[misc]
    """What the user may see: a panel without a line is not shown."""

    name = "lodestar"
    template_name = "personalization/home.html"
    order = 50

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def get_context_data(self, parent_context: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"lines": list(self.lines())}

    def lines(self) -> Iterator[Line]:
        user: Any = self.request.user
        if user.has_perm(SEE_EVENTS):  # they are counted for all customers
            yield from events()
        if may_see(user, ImportRun):
            yield last_import(user)
        if may_see(user, ExportRun):
            yield last_export(user)
        if user.is_superuser:
            yield installation()


def may_see(user: Any, model: type) -> bool:
    return bool(policy_registry.get_by_type(model).user_has_permission(user, "view"))


def last(model: type, user: Any) -> Any:
    """The newest run of a customer whose runs somebody may see."""
    rows = policy_registry.get_by_type(model).instances_user_has_permission_for(user, "view")
    return rows.order_by("-pk").first()


def events() -> Iterator[Line]:
    stored, refused = pulse.last_hour()
    url = reverse("tracking_debugger")
    yield Line(
        text=ngettext("%(count)s event in the last hour", "%(count)s events in the last hour", stored)
        % {"count": number_format(stored, force_grouping=True)},
        url=url,
        icon="crosshairs",
    )
    yield Line(
        text=ngettext(
            "%(count)s refused request in the last hour",
            "%(count)s refused requests in the last hour",
            refused,
        )
        % {"count": number_format(refused, force_grouping=True)},
        url=f"{url}?outcome=refused",
        icon="warning" if refused else "check",
        amiss=bool(refused),
    )


def last_import(user: Any) -> Line:
    run: ImportRun | None = last(ImportRun, user)
    text = gettext("Nothing was imported yet")
    if run:
        text = said(gettext("Last import: %(what)s, %(state)s, %(time)s ago"), run.subject, run, "status")
    failed = run is not None and run.status == ImportRun.Status.FAILED
    return of_run(text, url="personalization_imports:index", icon="download", failed=failed)


def last_export(user: Any) -> Line:
    run: ExportRun | None = last(ExportRun, user)
    text = gettext("Nothing was exported yet")
    if run:
        text = said(gettext("Last export: %(what)s, %(state)s, %(time)s ago"), run.site_name, run, "phase")
    failed = run is not None and run.phase == ExportRun.Phase.FAILED
    return of_run(text, url="personalization_exports:index", icon="upload", failed=failed)


def said(sentence: str, what: str, run: ImportRun | ExportRun, state: str) -> str:
    """The sentence about a run; ``state``: the field that says how it went."""
    shown = getattr(run, f"get_{state}_display")()
    shown = shown[:1].lower() + shown[1:]
    return sentence % {"what": what, "state": shown, "time": timesince(run.created_at)}


def of_run(text: str, *, url: str, icon: str, failed: bool) -> Line:
    return Line(text=text, url=reverse(url), icon="warning" if failed else icon, amiss=failed)


def installation() -> Line:
    bad = sum(not finding.well for finding in examine())
    text = (
        ngettext(
            "%(count)d point of this installation needs attention",
            "%(count)d points of this installation need attention",
            bad,
        )
        % {"count": bad}
        if bad
        else gettext("All is well with this installation")
    )
    return Line(
        text=text,
        url=reverse("personalization_installation"),
        icon="warning" if bad else "check",
        amiss=bool(bad),
    )
