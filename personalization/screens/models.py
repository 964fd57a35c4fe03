"""Models in the back office: their list, and one with settings, submodels and builds (reference
`engine-protocol.md` 5, 7.4).

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, StatusTagColumn
from wagtail.admin.views.generic import IndexView
from wagtail.permissions import register_permission_policy

from config.jobs import queue
from personalization.screens import access
from personalization.screens.lists import Lists
from personalization.screens.model_form import ModelSettings
from personalization.screens.page import Page
from personalization.screens.permissions import PerSite
from personalization.segments.models import Segment
from personalization.server import model_changes, overview
from personalization.server.artefacts import shelf
from personalization.server.defaults import ensure_defaults
from personalization.server.learning import registry
from personalization.server.models import Model, ModelBuild
from personalization.server.overview import ModelState, ModelStatus
from personalization.server.wrong import Wrong

VIEW, CHANGE = access.VIEW_MODELS, access.CHANGE_MODELS
BUILDS_SHOWN, SEGMENTS_SHOWN = 10, 200
STATUS_WORDS = {
    ModelStatus.ACTIVE: _("Active"),
    ModelStatus.NOT_ACTIVE: _("Not active"),
    ModelStatus.BUILDING: _("Build in progress"),
    ModelStatus.FAILED: _("Failed"),
}

register_permission_policy(Model, PerSite(Model, "view", "change"))


class CustomerFilter(WagtailFilterSet):  # type: ignore[misc]
    """A choice among the customers that the user may see."""

    customer_id = django_filters.ChoiceFilter(label=_("Customer"), empty_label=_("All"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = access.choices(self.request.user, *self.permissions)
        self.filters["customer_id"].extra["choices"] = choices

    permissions: ClassVar[tuple[str, ...]] = (VIEW, CHANGE)


class ModelFilter(CustomerFilter):
    class Meta:
        model = Model
        fields: ClassVar = ["customer_id"]


def status_of(row: Any) -> str:
    return str(STATUS_WORDS[row.state.status])


def scenarios_of(row: Any) -> str:
    names = row.state.scenarios
    more = gettext(" + %(count)d more") % {"count": len(names) - 1} if len(names) > 1 else ""
    return f"{names[0]}{more}" if names else ""


def items_of(row: Any) -> int | str:
    """Nothing where nothing is built: kinds that are computed for each request know no number."""
    return row.state.items if row.state.last_built else ""


def submodels_of(row: Model) -> str:
    return gettext("Yes") if row.divisions else gettext("No")


class ModelIndex(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> QuerySet[Model]:
        known = access.customer_ids(self.request.user, VIEW, CHANGE)
        make_defaults(known)
        return overview.with_builds(Model.objects.filter(customer_id__in=known))

    def get_table(self, object_list: Any) -> Any:
        used: dict[str, dict[str, set[str]]] = {}
        for row in object_list:
            if row.customer_id not in used:
                used[row.customer_id] = overview.scenarios_by_model(row.customer_id)
            names = used[row.customer_id].get(row.identifier, ())
            row.state = overview.state(row, tuple(sorted(names)))
        return super().get_table(object_list)

    def get_add_url(self) -> str | None:
        return None

    def get_edit_url(self, instance: Model) -> str:
        return reverse("personalization_model", args=[instance.pk])


def make_defaults(customer_ids: list[str]) -> None:
    """Customers that were never asked for anything have no models yet."""
    known = set(Model.objects.values_list("customer_id", flat=True).distinct())
    for customer_id in customer_ids:
        if customer_id not in known:
            ensure_defaults(customer_id)


class ModelScreens(Lists):
    one = "personalization_model"
    model = Model
    name = "personalization_models"
    url_prefix = "personalization/models"
    menu_label = _("Models")
    icon = "cogs"
    add_to_admin_menu = False
    index_view_class = ModelIndex
    filterset_class = ModelFilter
    search_fields = ("name", "identifier", "kind")
    ordering = ("customer_id", "name")
    exclude_form_fields = ("parameters",)
    list_display = (
        "name",
        Column("identifier", label=_("Identifier"), sort_key="identifier"),
        Column("customer_id", label=_("Customer"), sort_key="customer_id"),
        NumberColumn("items", label=_("No. of items"), accessor=items_of),
        Column("scenarios", label=_("In scenario"), accessor=scenarios_of),
        Column("submodel", label=_("Submodel"), accessor=submodels_of),
        DateColumn("last_built", label=_("Last built"), accessor="state.last_built"),
        StatusTagColumn(
            "status",
            label=_("Status"),
            accessor=status_of,
            primary=lambda row: row.state.status is ModelStatus.ACTIVE,
        ),
    )


class ModelPage(Page):
    """A page of one model."""

    header_icon = "cogs"
    faults: ClassVar = (Wrong,)

    def missing(self) -> list[str]:
        return [] if access.anywhere(self.request.user, VIEW, CHANGE) else [VIEW]

    @cached_property
    def row(self) -> Model:
        known = access.customer_ids(self.request.user, VIEW, CHANGE)
        rows = overview.with_builds(Model.objects.filter(customer_id__in=known))
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def subject(self) -> Model:
        return self.row

    def is_allowed(self, permission: str) -> bool:
        return access.may(self.request.user, permission, self.row.customer_id)

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("personalization_models:index"), "label": gettext("Models")}]


class OneModel(ModelPage):
    """Settings, divisions and builds of one model."""

    template_name = "personalization/models/model.html"
    actions = ("save", "close", "build", "cancel")
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)
    form: ModelSettings | None = None

    def get_page_title(self) -> str:
        return self.row.name

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = self.row
        kind = registry.kind(row.kind)
        may_change = self.is_allowed(CHANGE)
        return (
            super().get_context_data(**kwargs)
            | build_context(row)
            | {
                "form": self.form or ModelSettings(row),
                "kind": kind,
                "may_change": may_change,
                "per_type": per_type(row) if kind.trained else [],
                "builds": row.builds.order_by("-pk")[:BUILDS_SHOWN],
                "list_name": model_changes.list_name(row),
                "segments": Segment.objects.order_by("pk")[:SEGMENTS_SHOWN] if kind.divides else [],
            }
        )

    def do_save(self) -> HttpResponse:
        return self.saved(then=reverse("personalization_model", args=[self.row.pk]))

    def do_close(self) -> HttpResponse:
        return self.saved(then=reverse("personalization_models:index"))

    def saved(self, *, then: str) -> HttpResponse:
        row = self.row
        self.form = form = ModelSettings(row, self.request.POST)
        if not form.is_valid():
            raise Wrong([])
        given = form.cleaned_data
        try:
            learns = model_changes.save(
                row, name=given["name"], parameters=form.parameters(), divisions=form.document
            )
        except Wrong as fault:
            form.refuse(fault)
            raise
        text = gettext("Saved. The next build learns with it; trigger one to have it now.")
        messages.success(self.request, text if learns else gettext("Saved."))
        return redirect(then)

    def words_of(self, fault: Exception) -> str:
        if self.form is None:
            return str(fault)
        return gettext("The model could not be saved; what is wrong stands beside the fields.")

    def do_build(self) -> HttpResponse:
        self.is_unchanged = model_changes.open_build(self.row) is not None
        model_changes.trigger_build(self.row)
        messages.success(self.request, gettext("A build was triggered; this page shows how far it is."))
        return redirect("personalization_model", self.row.pk)

    def do_cancel(self) -> HttpResponse:
        job = model_changes.open_build(self.row)
        if job and queue.cancel(job.pk):
            messages.success(
                self.request, gettext("The build is being cancelled; the one before keeps serving.")
            )
        else:
            self.is_unchanged = True
            messages.warning(self.request, gettext("No build was under way."))
        return redirect("personalization_model", self.row.pk)


class BuildProgress(ModelPage):
    """How far the build is, for the script of the page."""

    def get(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        html = render_to_string("personalization/models/build.html", build_context(self.row), request)
        return JsonResponse({"html": html})


def build_context(row: Model) -> dict[str, Any]:
    used = overview.scenarios_by_model(row.customer_id).get(row.identifier, set())
    state: ModelState = overview.state(row, tuple(sorted(used)))
    return {
        "model": row,
        "state": state,
        "status_words": STATUS_WORDS[state.status],
        "job": model_changes.open_build(row),
        "newest": ModelBuild.objects.filter(model=row).order_by("-pk").first(),
    }


def per_type(row: Model) -> list[tuple[int, int]]:
    """Item type and number of items that the model knows of it."""
    artefact = shelf.current(row.customer_id, row.identifier)
    return sorted(Counter(kind for kind, _item in artefact.keys).items()) if artefact else []
