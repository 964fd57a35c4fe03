"""Stage 4: transformations, and what fills which schema."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext
from pydantic import ValidationError
from wagtail.admin import messages

from cdp.dataflows import editing, mapping, stages, states, targets, transforms
from cdp.dataflows.configuration import Configuration, Mapping, Transformation, load
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Schema
from cdp.dataflows.stages import Stage
from cdp.screens.dataflows import CHANGE, DataflowPage, known_types
from cdp.screens.findings import type_name
from cdp.screens.page import key_of


class TransformAndMap(DataflowPage):
    stage = Stage.TRANSFORM
    template_name = "cdp/dataflows/transform.html"
    actions = (
        *("save", "keep", "add_schema", "remove_schema"),
        *("add_transformation", "remove_transformation", "raise_transformation", "lower_transformation"),
    )
    action_permissions: ClassVar = dict.fromkeys(actions, CHANGE)

    @property
    def configuration(self) -> Configuration:
        return stages.in_hand(self.dataflow)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        configuration = self.configuration
        types = known_types(configuration)
        schemas = stages.schemas_of(configuration)
        chosen = transforms.FUNCTIONS.get(self.request.GET.get("function", ""))
        mapped = {one.schema_id for one in configuration.mappings}
        in_use = self.in_use()
        others = Schema.objects.filter(account=self.dataflow.account).exclude(pk__in=mapped)
        return context | {
            "transformations": steps(configuration, fixed=len(in_use.transformations)),
            "column_types": {name: type_name(kind) for name, kind in types.items()},
            "functions": sorted(transforms.FUNCTIONS.values(), key=lambda one: (one.kind, one.name)),
            "chosen": chosen,
            "mappings": [
                {
                    "mapping": one,
                    "schema": schemas[one.schema_id],
                    "fields": rows(one, schemas[one.schema_id]),
                    "is_fixed": one.schema_id in {each.schema_id for each in in_use.mappings},
                    "stored": targets.stored(self.dataflow, schemas[one.schema_id]),
                }
                for one in configuration.mappings
                if one.schema_id in schemas
            ],
            "other_schemas": others.order_by("name"),
            "may_make_schemas": self.is_allowed("dataflows.change_schema"),
            "creator_url": f"{reverse('cdp_schema_new')}?dataflow={self.dataflow.pk}",
        }

    def do_add_transformation(self) -> HttpResponse:
        new = transformation_of(self.request.POST)
        editing.set_transformations(self.dataflow, [*self.configuration.transformations, new])
        messages.success(self.request, gettext("The transformation was added."))
        return self.to(Stage.TRANSFORM)

    def do_remove_transformation(self) -> HttpResponse:
        place = self.request.POST.get("place", "")
        left = [one for number, one in enumerate(self.configuration.transformations) if str(number) != place]
        editing.set_transformations(self.dataflow, left)
        return self.to(Stage.TRANSFORM)

    def do_raise_transformation(self) -> HttpResponse:
        return self.move(-1)

    def do_lower_transformation(self) -> HttpResponse:
        return self.move(1)

    def move(self, by: int) -> HttpResponse:
        """Change places with the one before or after it. A step may use columns of earlier ones only."""
        order = list(self.configuration.transformations)
        place = self.request.POST.get("place", "")
        known = [str(number) for number in range(len(order))]
        if place in known and 0 <= (other := int(place) + by) < len(order):
            order[int(place)], order[other] = order[other], order[int(place)]
            editing.set_transformations(self.dataflow, order)
        return self.to(Stage.TRANSFORM)

    def in_use(self) -> Configuration:
        """What is in force, and so is not to be taken away; nothing while the dataflow is being made."""
        is_in_force = self.dataflow.status in states.IN_FORCE
        return load(self.dataflow.configuration) if is_in_force else Configuration()

    def do_add_schema(self) -> HttpResponse:
        rows = Schema.objects.filter(
            account=self.dataflow.account, pk=key_of(self.request.POST.get("schema"))
        )
        schema = rows.prefetch_related("fields").first()
        if schema is None:
            raise DataflowFault("required", gettext("Choose a schema."), field="schema")
        map_schema(self.dataflow, schema)
        return self.to(Stage.TRANSFORM)

    def do_remove_schema(self) -> HttpResponse:
        gone = key_of(self.request.POST.get("schema"))
        left = [one for one in self.configuration.mappings if one.schema_id != gone]
        editing.set_mappings(self.dataflow, left)
        return self.to(Stage.TRANSFORM)

    def do_save(self) -> HttpResponse:
        editing.set_mappings(
            self.dataflow, [mapping_of(self.request.POST, one) for one in self.configuration.mappings]
        )
        problems = stages.missing(self.dataflow).problems[Stage.TRANSFORM]
        if problems:
            messages.warning(self.request, gettext("Saved. Something is still missing, see below."))
            return self.to(Stage.TRANSFORM)
        messages.success(self.request, gettext("Saved."))
        return self.to(Stage.ACTIVATION)


def map_schema(dataflow: Any, schema: Schema) -> None:
    """Map a schema as well as names allow."""
    configuration = stages.in_hand(dataflow)
    new = mapping.proposed(schema, list(known_types(configuration)))
    others = [one for one in configuration.mappings if one.schema_id != schema.pk]
    editing.set_mappings(dataflow, [*others, new])


def steps(configuration: Configuration, *, fixed: int) -> list[dict[str, Any]]:
    """Transformations in their order, the first ``fixed`` of which are in use and stay."""
    last = len(configuration.transformations) - 1
    return [
        {
            "step": one,
            "may_go": place >= fixed,
            "may_rise": place > fixed,
            "may_sink": fixed <= place < last,
        }
        for place, one in enumerate(configuration.transformations)
    ]


def rows(filled: Mapping, schema: Schema) -> list[dict[str, Any]]:
    return [{"field": one, "column": filled.fields.get(one.name, "")} for one in schema.fields.all()]


def mapping_of(posted: QueryDict, before: Mapping) -> Mapping:
    prefix = f"map-{before.schema_id}-"
    fields = {
        name.removeprefix(prefix): str(value)
        for name, value in posted.items()
        if name.startswith(prefix) and value
    }
    mode = posted.get(f"mode-{before.schema_id}") or None
    if mode not in (None, "append", "overwrite"):
        raise DataflowFault("invalid_choice", gettext("Choose a write mode."), field="write_mode")
    update = {"fields": fields, "write_mode": mode, "allow_empty": f"empty-{before.schema_id}" in posted}
    return before.model_copy(update=update)


def transformation_of(posted: QueryDict) -> Transformation:
    """The form of one transformation. Raises :class:`DataflowFault`."""
    name = posted.get("function", "")
    function = transforms.FUNCTIONS.get(name)
    if function is None:
        raise DataflowFault("bad_transformation", gettext("Choose a transformation."), field="function")
    params = {
        key: param_of(str(posted[f"param-{key}"]), wanted, key)
        for key, wanted in function.params.items()
        if posted.get(f"param-{key}")
    }
    inputs = tuple(posted.getlist("inputs"))
    output = posted.get("output", "").strip() or (inputs[0] if inputs else "")
    try:
        return Transformation(
            function=name,
            inputs=inputs,
            params=params,
            output=output,
            on_error=posted.get("on_error", "error"),
        )
    except ValidationError:
        raise DataflowFault("bad_transformation", gettext("Choose at least one column.")) from None


def param_of(text: str, wanted: transforms.Param, name: str) -> Any:
    if wanted.kind is int:
        try:
            return int(text)
        except ValueError:
            words = gettext("%(name)s must be a whole number; got %(value)s.")
            raise DataflowFault("bad_transformation", words % {"name": name, "value": text[:40]}) from None
    if wanted.kind is dict:
        pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
        return {before.strip(): after.strip() for before, after in pairs}
    return text
