"""Schemas, and the Schema Creator (reference `cdp.md` 2.1, 2.2 stage 4)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages

from cdp.dataflows import schemas
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, Schema, SchemaField
from cdp.dataflows.schemas import FieldSpec
from cdp.dataflows.stages import in_hand
from cdp.profiles.models import Account, PersonIdentifier
from cdp.screens import access
from cdp.screens.dataflows import CHANGE as CHANGE_DATAFLOW
from cdp.screens.dataflows import VIEW as VIEW_DATAFLOW
from cdp.screens.dataflows import known_types
from cdp.screens.page import Page, key_of
from cdp.screens.sure import SurePage, Words
from cdp.screens.transform import map_schema
from personalization.screens import audit

VIEW, CHANGE = "dataflows.view_schema", "dataflows.change_schema"


ACTIONS = {
    "clone": Words(_("Clone"), _("A schema with the same fields is made, which nothing fills yet."), "copy"),
    "delete": Words(_("Delete"), _("No dataflow fills it. It is gone for good."), "bin"),
}


class SchemaPage(Page):
    permission_required: Any = VIEW
    header_icon = "table"

    def trail(self) -> list[dict[str, Any]]:
        return [{"url": reverse("schemas:index"), "label": gettext("Schemas")}]


class NewSchema(SchemaPage):
    """The Schema Creator: from the columns of a dataflow, or from nothing."""

    permission_required = CHANGE
    template_name = "cdp/schemas/creator.html"
    page_title = _("Schema Creator")
    actions = ("save",)
    logged: ClassVar = {"save": audit.CREATE}

    @cached_property
    def dataflow(self) -> Dataflow | None:
        pk = key_of(self.request.GET.get("dataflow"))
        rows = Dataflow.objects.exclude(status=Dataflow.Status.ARCHIVED).select_related("account")
        known = access.visible(rows, self.request.user, CHANGE_DATAFLOW)
        return get_object_or_404(known, pk=pk) if pk else None

    def get_permission_required(self) -> tuple[str, ...]:
        """Whoever makes a schema from a dataflow changes the dataflow too."""
        return (CHANGE, CHANGE_DATAFLOW) if "dataflow" in self.request.GET else (CHANGE,)

    def whose(self) -> Account | None:
        return self.dataflow.account if self.dataflow else None

    @cached_property
    def account(self) -> Account:
        if self.dataflow is not None:
            return self.dataflow.account
        known = {str(one.pk): one for one in self.accounts()}
        asked = self.request.POST.get("account") or self.request.GET.get("account") or ""
        account = known.get(asked) or next(iter(known.values()), None)
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
            "accounts": self.accounts(),
            "kinds": Schema.Kind.choices,
            "account": self.account,
            "parents": [
                (f"schema-{one.pk}", one)
                for one in Schema.objects.filter(account=self.account).order_by("name")
            ],
            "types": SchemaField.Type.choices,
            "identifiers": names.order_by("pk"),
            "columns": [
                {"name": name, "type": kind, "is_chosen": chosen is None or name in chosen}
                for name, kind in self.columns()
            ],
            "new_fields": [] if self.dataflow else self.typed_fields(),
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
            by=self.request.user.pk,
        )
        self.concerned = schema
        words = gettext("The schema %(name)s was created.")
        messages.success(self.request, words % {"name": schema.name})
        if self.dataflow is None:
            return redirect("cdp_schema", schema.pk)
        map_schema(self.dataflow, schema)
        self.log(self.dataflow, "add_schema")
        return redirect("cdp_dataflow_transform", self.dataflow.pk)

    def typed_fields(self) -> list[tuple[int, str, str]]:
        """Place, name and type of fields that were typed, and of some to be typed."""
        posted = self.request.POST
        return [
            (place, posted.get(f"field-{place}", ""), posted.get(f"type-{place}", "string"))
            for place in range(8)
        ]

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
    actions = ("rename", "add", "change", "remove_field", "clone", "delete")
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)

    @cached_property
    def schema(self) -> Schema:
        rows = Schema.objects.select_related("account").prefetch_related("fields")
        found: Schema = get_object_or_404(access.visible(rows, self.request.user, VIEW), pk=self.kwargs["pk"])
        return found

    def whose(self) -> Account:
        return self.schema.account

    def subject(self) -> Schema:
        return self.schema

    def get_page_title(self) -> str:
        return self.schema.name

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "schema": self.schema,
            "fields": self.schema.fields.all(),
            "types": SchemaField.Type.choices,
            "is_settled": schemas.is_settled(self.schema),
            "is_used": schemas.is_used(self.schema),
            "used": self.schema.mapped.select_related("dataflow").order_by("dataflow__name"),
            "children": self.schema.children.order_by("name"),
            "may_change": self.is_allowed(CHANGE),
            "may_see_dataflows": self.is_allowed(VIEW_DATAFLOW),
        }

    def field(self) -> SchemaField:
        return get_object_or_404(self.schema.fields, pk=key_of(self.request.POST.get("field")))

    def here(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        return redirect("cdp_schema", self.schema.pk)

    def do_rename(self) -> HttpResponse:
        schemas.rename(self.schema, self.request.POST.get("name", ""), by=self.request.user.pk)
        return self.here(gettext("Saved."))

    def do_add(self) -> HttpResponse:
        posted = self.request.POST
        spec = FieldSpec(posted.get("name", "").strip(), posted.get("type", ""), "mandatory" in posted)
        schemas.add_field(self.schema, spec, by=self.request.user.pk)
        return self.here(gettext("The field was added."))

    def do_change(self) -> HttpResponse:
        posted = self.request.POST
        schemas.change_field(
            self.field(), type=posted.get("type"), mandatory="mandatory" in posted, by=self.request.user.pk
        )
        return self.here(gettext("Saved."))

    def do_remove_field(self) -> HttpResponse:
        schemas.remove_field(self.field(), by=self.request.user.pk)
        return self.here(gettext("The field was removed."))

    def do_clone(self) -> HttpResponse:
        self.concerned = copy = schemas.clone(self.schema, by=self.request.user.pk)
        messages.success(self.request, gettext("A copy was made; give it a name."))
        return redirect("cdp_schema", copy.pk)

    def do_delete(self) -> HttpResponse:
        schemas.remove(self.schema)
        messages.success(self.request, gettext("The schema was deleted."))
        return redirect("schemas:index")


class Sure(SurePage, SchemaPage):
    """What an action in the list of schemas will do."""

    permission_required = (VIEW, CHANGE)
    words = ACTIONS
    one_url, list_url = "cdp_schema", "schemas:index"

    @cached_property
    def schema(self) -> Schema:
        rows = access.visible(Schema.objects.select_related("account"), self.request.user, VIEW)
        found: Schema = get_object_or_404(rows, pk=self.kwargs["pk"])
        return found

    def whose(self) -> Account:
        return self.schema.account

    def subject(self) -> Schema:
        return self.schema

    def row(self) -> Schema:
        return self.schema

    def offered(self) -> list[str]:
        return ["clone"] if schemas.is_used(self.schema) else ["clone", "delete"]
