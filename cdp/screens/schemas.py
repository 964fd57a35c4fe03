"""Schemas, and the Schema Creator (reference `cdp.md` 2.1, 2.2 stage 4)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, NumberColumn
from wagtail.admin.views.generic import IndexView

from cdp.dataflows import schemas
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, Schema, SchemaField
from cdp.dataflows.schemas import FieldSpec
from cdp.dataflows.stages import in_hand
from cdp.profiles import accounts
from cdp.profiles.models import Account, PersonIdentifier
from cdp.screens.dataflows import CHANGE as CHANGE_DATAFLOW
from cdp.screens.page import Lists, Page, key_of
from cdp.screens.transform import known_types, map_schema

VIEW, CHANGE = "dataflows.view_schema", "dataflows.change_schema"


class SchemaIndex(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> Any:
        return Schema.objects.select_related("parent", "account").annotate(count=Count("fields"))

    def get_add_url(self) -> str | None:
        return reverse("cdp_schema_new") if self.request.user.has_perm(CHANGE) else None

    def get_edit_url(self, instance: Schema) -> str:
        return reverse("cdp_schema", args=[instance.pk])


def used_in(row: Schema) -> str:
    names = [one.dataflow.name for one in row.mapped.select_related("dataflow")]
    return f"{names[0]} +{len(names) - 1}" if len(names) > 1 else "".join(names)


class SchemaScreens(Lists):
    one = "cdp_schema"
    model = Schema
    name = "schemas"
    url_prefix = "customer-data/schemas"
    menu_label = _("Schemas")
    icon = "table"
    index_view_class = SchemaIndex
    list_display = (
        "name",
        Column("kind", label=_("Parent"), accessor="get_kind_display", sort_key="kind"),
        NumberColumn("count", label=_("Fields"), sort_key="count"),
        Column("used", label=_("Used in"), accessor=used_in),
        Column("account", label=_("Account"), accessor="account"),
    )
    list_filter = ("kind", "account")
    search_fields = ("name",)
    exclude_form_fields = ("account",)


class SchemaPage(Page):
    permission_required = VIEW
    header_icon = "table"

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("schemas:index"), "label": gettext("Schemas")}]


class NewSchema(SchemaPage):
    """The Schema Creator: from the columns of a dataflow, or from nothing."""

    permission_required = CHANGE
    template_name = "cdp/schemas/creator.html"
    page_title = _("Schema Creator")
    actions = ("save",)

    @cached_property
    def dataflow(self) -> Dataflow | None:
        pk = key_of(self.request.GET.get("dataflow"))
        rows = Dataflow.objects.exclude(status=Dataflow.Status.ARCHIVED).select_related("account")
        return get_object_or_404(rows, pk=pk) if pk else None

    def has_permission(self) -> bool:
        """Whoever makes a schema from a dataflow changes the dataflow too."""
        needs_more = "dataflow" in self.request.GET
        allowed = bool(super().has_permission())
        return allowed and (not needs_more or self.request.user.has_perm(CHANGE_DATAFLOW))

    @cached_property
    def account(self) -> Account:
        if self.dataflow is not None:
            return self.dataflow.account
        known = {str(one.pk): one for one in accounts.all_accounts()}
        account = known.get(self.request.POST.get("account", "")) or next(iter(known.values()), None)
        if account is None:
            raise DataflowFault("required", gettext("There is no account yet."), field="account")
        return account

    def columns(self) -> list[tuple[str, str]]:
        if self.dataflow is None:
            return []
        types = known_types(in_hand(self.dataflow))
        return [(name, kind) for name, kind in types.items() if kind != "object"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        names = PersonIdentifier.objects.filter(account=self.account, active=True)
        chosen = self.request.POST.getlist("columns") if context["posted"] else None
        return context | {
            "dataflow": self.dataflow,
            "accounts": accounts.all_accounts(),
            "kinds": Schema.Kind.choices,
            "parents": Schema.objects.filter(account=self.account).order_by("name"),
            "types": SchemaField.Type.choices,
            "identifiers": names.order_by("pk"),
            "columns": [
                {"name": name, "type": kind, "is_chosen": chosen is None or name in chosen}
                for name, kind in self.columns()
            ],
            "empty_rows": range(0 if self.dataflow else 8),
        }

    def do_save(self) -> HttpResponse:
        posted = self.request.POST
        kind = posted.get("kind", "")
        parent = None
        if kind.startswith("schema-"):
            pk = key_of(kind.removeprefix("schema-"))
            parent = get_object_or_404(Schema, account=self.account, pk=pk)
        is_catalog = (parent.kind if parent else kind) == Schema.Kind.CATALOG
        schema = schemas.create(
            self.account,
            name=posted.get("name", ""),
            kind=kind,
            parent=parent,
            fields=self.fields(),
            identifier="" if is_catalog else posted.get("identifier", ""),
            key=posted.get("key", "").strip() if is_catalog else "",
        )
        words = gettext("The schema %(name)s was created.")
        messages.success(self.request, words % {"name": schema.name})
        if self.dataflow is None:
            return redirect("cdp_schema", schema.pk)
        map_schema(self.dataflow, schema)
        return redirect("cdp_dataflow_transform", self.dataflow.pk)

    def fields(self) -> list[FieldSpec]:
        posted = self.request.POST
        if self.dataflow is not None:
            chosen = set(posted.getlist("columns"))
            return [FieldSpec(name, kind) for name, kind in self.columns() if name in chosen]
        named = [
            (posted.get(f"field-{place}", "").strip(), posted.get(f"type-{place}", "string"))
            for place in range(50)
        ]
        return [FieldSpec(name, kind) for name, kind in named if name]


class OneSchema(SchemaPage):
    template_name = "cdp/schemas/schema.html"
    actions = ("rename", "add", "change", "remove_field", "delete")
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)

    @cached_property
    def schema(self) -> Schema:
        return get_object_or_404(Schema.objects.prefetch_related("fields"), pk=self.kwargs["pk"])

    def get_page_title(self) -> str:
        return self.schema.name

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "schema": self.schema,
            "fields": self.schema.fields.all(),
            "types": SchemaField.Type.choices,
            "is_settled": schemas.is_settled(self.schema),
            "used": self.schema.mapped.select_related("dataflow"),
            "may_change": self.request.user.has_perm(CHANGE),
        }

    def field(self) -> SchemaField:
        return get_object_or_404(self.schema.fields, pk=key_of(self.request.POST.get("field")))

    def here(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        return redirect("cdp_schema", self.schema.pk)

    def do_rename(self) -> HttpResponse:
        schemas.rename(self.schema, self.request.POST.get("name", ""))
        return self.here(gettext("Saved."))

    def do_add(self) -> HttpResponse:
        posted = self.request.POST
        spec = FieldSpec(posted.get("name", "").strip(), posted.get("type", ""), "mandatory" in posted)
        schemas.add_field(self.schema, spec)
        return self.here(gettext("The field was added."))

    def do_change(self) -> HttpResponse:
        posted = self.request.POST
        schemas.change_field(self.field(), type=posted.get("type"), mandatory="mandatory" in posted)
        return self.here(gettext("Saved."))

    def do_remove_field(self) -> HttpResponse:
        schemas.remove_field(self.field())
        return self.here(gettext("The field was removed."))

    def do_delete(self) -> HttpResponse:
        schemas.remove(self.schema)
        messages.success(self.request, gettext("The schema was deleted."))
        return redirect("schemas:index")
