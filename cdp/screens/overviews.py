"""The lists of dataflows and of schemas: search, filters, and what may be done with a row (`cdp.md` 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn
from wagtail.admin.views.generic import IndexView
from wagtail.admin.widgets.button import Button

from cdp.dataflows import stages, states
from cdp.dataflows.models import Dataflow, Schema
from cdp.screens import access, dataflows, schemas
from personalization.screens.lists import Lists

Status = Dataflow.Status
LIVES = (("drafts", _("Drafts")), ("in_force", _("In force")))
SOURCES = (("stream_file", _("Stream File")),)
BOXES = forms.CheckboxSelectMultiple


access.keep(Dataflow, dataflows.ACTIVATE)
access.keep(Schema)


def schemas_of(request: HttpRequest | None) -> QuerySet[Schema]:
    rows = Schema.objects.order_by("name")
    return rows if request is None else access.visible(rows, request.user, dataflows.VIEW, schemas.VIEW)


class DataflowFilters(WagtailFilterSet):  # type: ignore[misc]
    life = django_filters.ChoiceFilter(
        label=_("Draft or in force"),
        choices=LIVES,
        method="of_life",
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    status = django_filters.MultipleChoiceFilter(
        label=_("Status"), choices=[one for one in Status.choices if one[0] != Status.ARCHIVED], widget=BOXES
    )
    source = django_filters.MultipleChoiceFilter(label=_("Source"), choices=SOURCES, widget=BOXES)
    schema = django_filters.ModelMultipleChoiceFilter(
        label=_("Schema"),
        field_name="mapped__schema",
        queryset=schemas_of,
        widget=BOXES,
    )
    account = django_filters.ModelMultipleChoiceFilter(
        label=_("Account"), queryset=access.filtered, widget=BOXES
    )

    class Meta:
        model = Dataflow
        fields: Sequence[str] = ()

    def of_life(self, rows: QuerySet[Dataflow], _name: str, value: str) -> QuerySet[Dataflow]:
        return rows.filter(status__in=states.BEING_MADE if value == "drafts" else states.IN_FORCE)


def button(label: str, url: str, icon: str, place: int, row: Any) -> Button:
    return Button(
        label, url=url, icon_name=icon, priority=place, attrs={"aria-label": f"{label}: {row.name}"}
    )


class DataflowIndex(IndexView):  # type: ignore[misc]
    results_template_name = "cdp/dataflows/index_results.html"
    filterset_class = DataflowFilters
    default_ordering = "-modified_at"

    def get_base_queryset(self) -> Any:
        rows = Dataflow.objects.exclude(status=Status.ARCHIVED).select_related("account")
        rows = access.visible(rows, self.request.user, dataflows.VIEW, dataflows.CHANGE)
        return rows.prefetch_related("mapped__schema")

    def get_add_url(self) -> str | None:
        return reverse("cdp_dataflow_new") if access.anywhere(self.request.user, dataflows.CHANGE) else None

    def get_edit_url(self, instance: Dataflow) -> str:
        return reverse("cdp_dataflow", args=[instance.pk])

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        return context | {"new_url": self.get_add_url()}

    def get_list_more_buttons(self, instance: Dataflow) -> list[Button]:
        """Details for everybody who sees the list, and what somebody may do with the dataflow as it is."""

        def may(permission: str) -> bool:
            return access.may(self.request.user, permission, instance.account)

        offered = [button(gettext("Details"), self.get_edit_url(instance), "info-circle", 10, instance)]
        if may(dataflows.CHANGE):
            first = stages.Stage.GENERAL
            offered.append(
                button(
                    gettext("Edit"),
                    reverse(f"cdp_dataflow_{first}", args=[instance.pk]),
                    "edit",
                    20,
                    instance,
                )
            )
        for place, action in enumerate(dataflows.offered(instance, may)):
            words = dataflows.ACTIONS[action]
            url = reverse("cdp_dataflow_sure", args=[instance.pk, action])
            offered.append(button(str(words.label), url, words.icon, 30 + place, instance))
        return offered


def schema_names(row: Dataflow) -> str:
    return first_and_more([one.schema.name for one in row.mapped.all()])


def first_and_more(names: list[str]) -> str:
    return f"{names[0]} +{len(names) - 1}" if len(names) > 1 else "".join(names)


class DataflowScreens(Lists):
    one = "cdp_dataflow"
    model = Dataflow
    name = "dataflows"
    url_prefix = "customer-data/dataflows"
    menu_label = _("Data Manager")
    icon = "download"
    index_view_class = DataflowIndex
    index_results_template_name = DataflowIndex.results_template_name
    list_display = (
        "name",
        Column("status", label=_("Status"), accessor="get_status_display", sort_key="status"),
        Column("schemas", label=_("Schemas"), accessor=schema_names),
        Column("account", label=_("Account"), accessor="account"),
        DateColumn("created_at", label=_("Created"), sort_key="created_at"),
        DateColumn("modified_at", label=_("Changed"), sort_key="modified_at"),
    )
    search_fields = ("name", "description")
    exclude_form_fields = ("configuration",)


class SchemaFilters(WagtailFilterSet):  # type: ignore[misc]
    kind = django_filters.MultipleChoiceFilter(label=_("Parent"), choices=Schema.Kind.choices, widget=BOXES)
    account = django_filters.ModelMultipleChoiceFilter(
        label=_("Account"), queryset=access.filtered, widget=BOXES
    )

    class Meta:
        model = Schema
        fields: Sequence[str] = ()


class SchemaIndex(IndexView):  # type: ignore[misc]
    results_template_name = "cdp/schemas/index_results.html"
    filterset_class = SchemaFilters
    default_ordering = "-modified_at"

    def get_base_queryset(self) -> Any:
        rows = Schema.objects.select_related("parent", "account", "changed_by")
        rows = access.visible(rows, self.request.user, schemas.VIEW, schemas.CHANGE)
        return rows.prefetch_related("mapped__dataflow", "children").annotate(count=Count("fields"))

    def get_add_url(self) -> str | None:
        return reverse("cdp_schema_new") if access.anywhere(self.request.user, schemas.CHANGE) else None

    def get_edit_url(self, instance: Schema) -> str:
        return reverse("cdp_schema", args=[instance.pk])

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        return context | {"new_url": self.get_add_url()}

    def get_list_more_buttons(self, instance: Schema) -> list[Button]:
        offered = [button(gettext("Details"), self.get_edit_url(instance), "info-circle", 10, instance)]
        if access.may(self.request.user, schemas.CHANGE, instance.account):
            is_free = not instance.mapped.all() and not instance.children.all()
            for place, action in enumerate(("clone", "delete") if is_free else ("clone",)):
                words = schemas.ACTIONS[action]
                url = reverse("cdp_schema_sure", args=[instance.pk, action])
                offered.append(button(str(words.label), url, words.icon, 20 + place, instance))
        return offered


def used_in(row: Schema) -> str:
    return first_and_more([dataflow_name(one.dataflow) for one in row.mapped.all()])


def dataflow_name(row: Dataflow) -> str:
    if row.status != Status.ARCHIVED:
        return row.name
    return gettext("%(name)s (deleted)") % {"name": row.name}


def parent_name(row: Schema) -> str:
    return row.parent.name if row.parent else row.get_kind_display()


def changed_by(row: Schema) -> str:
    return row.changed_by.get_username() if row.changed_by else gettext("System")


class SchemaScreens(Lists):
    one = "cdp_schema"
    model = Schema
    name = "schemas"
    url_prefix = "customer-data/schemas"
    menu_label = _("Schemas")
    icon = "table"
    index_view_class = SchemaIndex
    index_results_template_name = SchemaIndex.results_template_name
    list_display = (
        "name",
        Column("parent", label=_("Parent"), accessor=parent_name, sort_key="kind"),
        NumberColumn("count", label=_("Fields"), sort_key="count"),
        Column("used", label=_("Used in"), accessor=used_in),
        Column("changed_by", label=_("Changed by"), accessor=changed_by),
        DateColumn("modified_at", label=_("Changed"), sort_key="modified_at"),
        Column("account", label=_("Account"), accessor="account"),
    )
    search_fields = ("name",)
    exclude_form_fields = ("account",)
