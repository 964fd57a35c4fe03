"""Which columns may feed which fields of a schema (reference `cdp.md` 2.2 stage 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from django.utils.translation import gettext

from cdp.dataflows import transforms
from cdp.dataflows.configuration import COLUMN_NAME, Configuration
from cdp.dataflows.configuration import Mapping as Filled
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Schema

# Column type -> field types it may fill as it is. Everything else needs a transformation first.
FITS = {
    "string": {"string"},
    "integer": {"string", "integer", "decimal"},
    "decimal": {"string", "decimal"},
    "boolean": {"string", "boolean"},
    "date": {"string", "date", "datetime"},
    "datetime": {"string", "datetime"},
    "array": {"array"},
    "object": set[str](),
}


class Problem(NamedTuple):
    """What keeps the stage from being complete; ``field`` names the control."""

    code: str
    sentence: str
    field: str = ""


def problems(configuration: Configuration, schemas: Mapping[int, Schema]) -> list[Problem]:
    """Everything that is wrong with transformations and mappings; empty when a test may be run."""
    try:
        types = column_types(configuration)
    except DataflowFault as fault:
        return [Problem(fault.code, str(fault), fault.field)]
    if not configuration.mappings:
        return [Problem("mapping_required", gettext("Map the columns to at least one schema."), "mappings")]
    found = [Problem("schema_twice", gettext("A schema is mapped twice."))] if doubled(configuration) else []
    for mapping in configuration.mappings:
        schema = schemas.get(mapping.schema_id)
        if schema is None:
            found.append(
                Problem("unknown_schema", gettext("A mapped schema is gone; choose another."), "mappings")
            )
        else:
            found += problems_of(mapping, schema, types)
    return found


def doubled(configuration: Configuration) -> bool:
    counts = Counter(one.schema_id for one in configuration.mappings)
    return any(count > 1 for count in counts.values())


def column_types(configuration: Configuration) -> dict[str, str]:
    """Columns that a mapping may use, those of transformations included, with their types.

    Raises :class:`DataflowFault` for a transformation that cannot be.
    """
    types: dict[str, str] = {one.name: one.type for one in configuration.columns if one.included}
    for place, one in enumerate(configuration.transformations):
        name = f"transformations.{place}"
        for column in one.inputs:
            if column not in types:
                raise DataflowFault(
                    "unknown_column",
                    gettext("Transformation %(place)s uses %(column)r, which no earlier step has.")
                    % {"place": place + 1, "column": column[:64]},
                    field=name,
                )
        try:
            function = transforms.check(one.function, one.inputs, one.params)
        except transforms.BadTransformation as fault:
            raise DataflowFault("bad_transformation", str(fault), field=name) from None
        if not COLUMN_NAME.match(one.output) or (one.output in types and one.output not in one.inputs):
            raise DataflowFault(
                "bad_name",
                gettext(
                    "Transformation %(place)s must make a new column or replace one of its own; got"
                    " %(output)r."
                )
                % {"place": place + 1, "output": one.output[:64]},
                field=name,
            )
        types[one.output] = types[one.inputs[0]] if function.gives == "same" else function.gives
    return types


def problems_of(mapping: Filled, schema: Schema, types: Mapping[str, str]) -> list[Problem]:
    return list(missing(mapping, schema)) + list(unfit(mapping, schema, types))


def missing(mapping: Filled, schema: Schema) -> Iterator[Problem]:
    kind = Schema.Kind(schema.kind)
    if schema.identifier and schema.identifier not in mapping.fields:
        yield Problem(
            "identifier_required",
            gettext("Map a column to %(field)s of schema %(schema)s.")
            % {"field": schema.identifier, "schema": schema.name},
            schema.identifier,
        )
    if kind == Schema.Kind.CATALOG and schema.key not in mapping.fields:
        yield Problem(
            "key_required",
            gettext("Map a column to %(field)s of schema %(schema)s.")
            % {"field": schema.key, "schema": schema.name},
            schema.key,
        )
    if kind != Schema.Kind.INTERACTION and mapping.write_mode is None:
        yield Problem(
            "write_mode_required",
            gettext("Choose a write mode for schema %(schema)s.") % {"schema": schema.name},
            "write_mode",
        )
    mandatory = {one.name for one in schema.fields.all() if one.mandatory}
    for name in sorted(mandatory - set(mapping.fields) - {schema.identifier, schema.key}):
        yield Problem(
            "field_required",
            gettext("Map a column to %(field)s of schema %(schema)s.")
            % {"field": name, "schema": schema.name},
            name,
        )


def unfit(mapping: Filled, schema: Schema, types: Mapping[str, str]) -> Iterator[Problem]:
    fields = {one.name: one.type for one in schema.fields.all()}
    for name, column in mapping.fields.items():
        if name not in fields:
            yield Problem(
                "unknown_field",
                gettext("%(schema)s has no field %(field)r.") % {"schema": schema.name, "field": name[:64]},
                name,
            )
        elif column not in types:
            yield Problem(
                "unknown_column",
                gettext("There is no column %(column)r to fill %(name)s.")
                % {"column": column[:64], "name": name},
                name,
            )
        elif name == schema.identifier:
            if types[column] not in ("string", "integer"):
                yield Problem(
                    "incompatible_type",
                    gettext("%(name)s must be a text or a whole number, not %(type)s.")
                    % {"name": name, "type": types[column]},
                    name,
                )
        elif fields[name] not in FITS[types[column]]:
            yield Problem(
                "incompatible_type",
                gettext("%(column)s is %(column_type)s and %(field)s is %(field_type)s; convert it first.")
                % {"column": column, "column_type": types[column], "field": name, "field_type": fields[name]},
                name,
            )


def proposed(schema: Schema, columns: Sequence[str], *, before: Filled | None = None) -> Filled:
    """A mapping in which columns feed the fields that are called like them."""
    by_name = {one.lower(): one for one in columns}
    fields = dict(before.fields) if before else {}
    for one in schema.fields.all():
        if one.name not in fields and one.name.lower() in by_name:
            fields[one.name] = by_name[one.name.lower()]
    mode = None if schema.kind == Schema.Kind.INTERACTION else "append"
    return Filled(
        schema_id=schema.pk,
        write_mode=before.write_mode if before else mode,
        allow_empty=before.allow_empty if before else False,
        fields=fields,
    )
