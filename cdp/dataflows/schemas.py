"""Schemas: making and changing them; the only writer of their rows (`cdp.md` 2.2, Schema Creator)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q
from django.utils.translation import gettext

from cdp.dataflows.configuration import COLUMN_NAME
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, Schema, SchemaField
from cdp.profiles.models import Account, PersonIdentifier

NAME = re.compile(r"^[^\d\W][^\x00-\x1f]{0,99}\Z")
Type = SchemaField.Type
# What something that a person did may say, whatever the schema is called.
INTERACTION_FIELDS = (
    ("event_type", Type.STRING, True),
    ("timestamp", Type.DATETIME, True),
    ("event_id", Type.STRING, False),
    ("session", Type.STRING, False),
    ("item_type", Type.STRING, False),
    ("product_id", Type.STRING, False),
    ("product_name", Type.STRING, False),
    ("category", Type.STRING, False),  # Id#Name;Id#Name, or Id
    ("brand", Type.STRING, False),
    ("order_id", Type.STRING, False),
    ("quantity", Type.INTEGER, False),
    ("price", Type.DECIMAL, False),
    ("subtotal", Type.DECIMAL, False),
    ("currency", Type.STRING, False),
    ("percentage", Type.INTEGER, False),
    ("rating", Type.INTEGER, False),
)
IN_FORCE = (Dataflow.Status.ACTIVE, Dataflow.Status.PAUSED)


class FieldSpec(NamedTuple):
    name: str
    type: str
    mandatory: bool = False


def create(
    account: Account,
    *,
    name: str,
    kind: str,
    fields: Sequence[FieldSpec] = (),
    identifier: str = "",
    key: str = "",
    parent: Schema | None = None,
    by: int | None = None,
) -> Schema:
    """A new schema; ``by``: key of who makes it, None for the system. Raises :class:`DataflowFault`."""
    kind, identifier = (parent.kind, parent.identifier) if parent else (kind, identifier)
    name = checked_name(name)
    own = [one for one in fields if one.name.lower() != identifier.lower()]
    check_parts(account, kind=kind, fields=own, identifier=identifier, key=key)
    given = inherited(parent) if parent else base(kind, identifier)
    known = {one.name.lower() for one in given}
    try:
        with transaction.atomic():
            schema = Schema.objects.create(
                account=account,
                name=name,
                kind=kind,
                parent=parent,
                identifier=identifier,
                key=key,
                changed_by_id=by,
            )
            SchemaField.objects.bulk_create(
                SchemaField(
                    schema=schema,
                    name=one.name,
                    type=one.type,
                    mandatory=one.mandatory or one.name == key,
                    locked=one in given,
                    position=place,
                )
                for place, one in enumerate([*given, *(f for f in own if f.name.lower() not in known)])
            )
    except IntegrityError:
        raise DataflowFault(
            "name_taken", gettext("There is a schema called %(name)r already.") % {"name": name}, field="name"
        ) from None
    return schema


def checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise DataflowFault("required", gettext("A schema needs a name."), field="name")
    if not NAME.match(name):
        raise DataflowFault(
            "bad_name",
            gettext("A name has 1 to 100 characters and does not begin with a digit; got %(name)r.")
            % {"name": name[:40]},
            field="name",
        )
    return name


def check_parts(
    account: Account, *, kind: str, fields: Sequence[FieldSpec], identifier: str, key: str
) -> None:
    if kind not in Schema.Kind.values:
        raise DataflowFault(
            "invalid_choice", gettext("There is no parent %(kind)r.") % {"kind": kind[:40]}, field="kind"
        )
    if kind != Schema.Kind.CATALOG:
        known = PersonIdentifier.objects.filter(account=account, active=True, name=identifier)
        if not identifier or not known.exists():
            raise DataflowFault(
                "identifier_required",
                gettext("Choose the identifier by which a person is known."),
                field="identifier",
            )
    if kind == Schema.Kind.CATALOG and key not in {one.name for one in fields}:
        raise DataflowFault(
            "key_required", gettext("Choose the column that is unique in each row."), field="key"
        )
    if not fields and kind != Schema.Kind.INTERACTION:
        raise DataflowFault("columns_required", gettext("Choose at least one column."), field="fields")
    check_fields(fields)


def check_fields(fields: Sequence[FieldSpec]) -> None:
    taken: set[str] = set()
    for one in fields:
        if not COLUMN_NAME.match(one.name):
            raise DataflowFault(
                "bad_name",
                gettext("A field has 1 to 64 letters, digits and _, no digit first; got %(name)r.")
                % {"name": one.name[:40]},
                field="fields",
            )
        if one.name.lower() in taken:
            raise DataflowFault(
                "duplicate_column",
                gettext("Two fields are called %(name)s.") % {"name": one.name},
                field="fields",
            )
        if one.type not in Type.values:
            raise DataflowFault(
                "invalid_choice",
                gettext("There is no type %(type)r.") % {"type": one.type[:40]},
                field="fields",
            )
        taken.add(one.name.lower())


def base(kind: str, identifier: str) -> list[FieldSpec]:
    """Fields that every schema of a parent has."""
    given = [FieldSpec(identifier, Type.STRING, mandatory=True)] if identifier else []
    if kind == Schema.Kind.INTERACTION:
        given += [FieldSpec(*one) for one in INTERACTION_FIELDS]
    return given


def inherited(parent: Schema) -> list[FieldSpec]:
    return [FieldSpec(one.name, one.type, one.mandatory) for one in parent.fields.all()]


def is_settled(schema: Schema) -> bool:
    """Whether a dataflow in force fills it; fields may be added then, and nothing else."""
    in_use = Q(dataflow__status__in=IN_FORCE) | Q(dataflow__runs__state__in=["queued", "running"])
    return schema.mapped.filter(in_use).exists()


def is_used(schema: Schema) -> bool:
    """Whether a dataflow fills it, a deleted one included, or another schema has its fields from it."""
    return schema.mapped.exists() or schema.children.exists()


def note(schema: Schema, by: int | None) -> None:
    """Who changed it, and when."""
    schema.changed_by_id = by
    schema.save(update_fields=["changed_by", "modified_at"])


def clone(schema: Schema, *, by: int | None = None) -> Schema:
    """A new schema with the same fields and the same parent, which nothing fills yet."""
    taken = {
        one.lower() for one in Schema.objects.filter(account=schema.account).values_list("name", flat=True)
    }
    number = 2
    while f"{schema.name[:90]} {number}".lower() in taken:
        number += 1
    with transaction.atomic():
        copy = Schema.objects.create(
            account=schema.account,
            name=f"{schema.name[:90]} {number}",
            kind=schema.kind,
            parent=schema.parent,
            identifier=schema.identifier,
            key=schema.key,
            changed_by_id=by,
        )
        SchemaField.objects.bulk_create(
            SchemaField(
                schema=copy,
                name=one.name,
                type=one.type,
                mandatory=one.mandatory,
                locked=one.locked,
                position=one.position,
            )
            for one in schema.fields.all()
        )
    return copy


def add_field(schema: Schema, spec: FieldSpec, *, by: int | None = None) -> SchemaField:
    """Raises :class:`DataflowFault`."""
    check_fields([spec])
    try:
        with transaction.atomic():
            note(schema, by)
            return SchemaField.objects.create(
                schema=schema,
                name=spec.name,
                type=spec.type,
                mandatory=spec.mandatory and not is_settled(schema),
                position=schema.fields.count(),
            )
    except IntegrityError:
        raise DataflowFault(
            "duplicate_column",
            gettext("%(schema)s has a field %(field)s already.")
            % {"schema": schema.name, "field": spec.name},
            field="fields",
        ) from None


def change_field(
    field: SchemaField,
    *,
    type: str | None = None,  # noqa: A002
    mandatory: bool | None = None,
    by: int | None = None,
) -> SchemaField:
    changeable(field)
    if type is not None and type not in Type.values:
        raise DataflowFault(
            "invalid_choice", gettext("There is no type %(type)r.") % {"type": type[:40]}, field="fields"
        )
    field.type = type or field.type
    field.mandatory = field.mandatory if mandatory is None else mandatory
    field.save(update_fields=["type", "mandatory"])
    note(field.schema, by)
    return field


def remove_field(field: SchemaField, *, by: int | None = None) -> None:
    changeable(field)
    field.delete()
    note(field.schema, by)


def changeable(field: SchemaField) -> None:
    if field.locked:
        raise DataflowFault(
            "schema_locked",
            gettext("%(name)s belongs to the parent and stays as it is.") % {"name": field.name},
        )
    if field.name == field.schema.key:
        raise DataflowFault(
            "schema_locked",
            gettext("%(field)s is the key of %(schema)s.")
            % {"field": field.name, "schema": field.schema.name},
        )
    if is_settled(field.schema):
        raise DataflowFault(
            "schema_locked",
            gettext("An active dataflow fills %(name)s; fields can be added, not changed or removed.")
            % {"name": field.schema.name},
        )


def rename(schema: Schema, name: str, *, by: int | None = None) -> Schema:
    schema.name = checked_name(name)
    schema.changed_by_id = by
    try:
        with transaction.atomic():
            schema.save(update_fields=["name", "changed_by", "modified_at"])
    except IntegrityError:
        raise DataflowFault(
            "name_taken",
            gettext("There is a schema called %(name)r already.") % {"name": name.strip()},
            field="name",
        ) from None
    return schema


def remove(schema: Schema) -> None:
    try:
        schema.delete()
    except ProtectedError:
        raise DataflowFault(
            "in_use",
            gettext("%(name)s is filled by a dataflow or is another schema's parent.")
            % {"name": schema.name},
        ) from None


def definitions(schemas: Sequence[Schema]) -> list[list[object]]:
    """What a test of a dataflow depends on, for its hash."""
    return [
        [schema.pk, schema.kind, schema.identifier, schema.key]
        + [[one.name, one.type, one.mandatory] for one in schema.fields.all()]
        for schema in sorted(schemas, key=lambda one: one.pk)
    ]
