"""Rows of a source -> what each mapped schema gets of them, or what is wrong (reference `cdp.md` 2.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cdp.dataflows import transforms
from cdp.dataflows.configuration import Column, Configuration, Transformation
from cdp.dataflows.configuration import Mapping as Filled
from cdp.dataflows.interpret.read import BadRow, Row
from cdp.dataflows.mapping import column_types
from cdp.dataflows.models import Schema
from cdp.dataflows.values import BadValue, Reading, is_empty, read_as, to_string
from cdp.profiles.identifiers import BadIdentifier, is_nobody, normal

MASKED = 3


class RowFault(NamedTuple):
    """``column`` as the dataflow calls it. ``value`` is masked: its first characters."""

    code: str
    column: str = ""
    value: str = ""


class Refused(Exception):
    def __init__(self, fault: RowFault) -> None:
        super().__init__(fault.code)
        self.fault = fault


@dataclass(kw_only=True)
class Result:
    """``values``: schema -> field -> value of a row that is fine. ``warnings`` name values left out."""

    values: dict[int, dict[str, Any]] = field(default_factory=dict)
    warnings: list[RowFault] = field(default_factory=list)
    fault: RowFault | None = None


class Plan:
    """A configuration made ready for rows. It is one whose mapping has no problems."""

    def __init__(self, configuration: Configuration, schemas: Mapping[int, Schema], reading: Reading) -> None:
        self.configuration = configuration
        self.reading = reading
        self.columns = [one for one in configuration.columns if one.included]
        self.known = {one.source for one in configuration.columns}
        self.types = column_types(configuration)
        self.targets = [Target(one, schemas[one.schema_id]) for one in configuration.mappings]
        sources = {one.name: one.source for one in self.columns}
        made = {one.output for one in configuration.transformations}
        names = [one.mapping.fields.get(one.schema.identifier, "") for one in self.targets]
        # Columns of the source itself by which people are known, with what the source calls them.
        self.naming = [(name, sources[name]) for name in names if name in sources and name not in made]
        # Columns whose value decides whether the row can be stored at all.
        self.vital = {one.name for one in self.columns if one.mandatory}.union(
            *(target.vital for target in self.targets)
        )

    def apply(self, row: Row | BadRow) -> Result:
        """The checks in the order of the reference: shape, identifier, mandatory, type, transformation."""
        if isinstance(row, BadRow):
            return Result(fault=RowFault(row.code, row.column))
        result = Result()
        try:
            self.check_identifiers(row)
            values = self.typed(row, result.warnings)
            self.transform(values, result.warnings)
            for target in self.targets:
                result.values[target.schema.pk] = target.fill(values)
        except Refused as refused:
            return Result(fault=refused.fault)
        return result

    def check_identifiers(self, row: Row) -> None:
        """Before anything else, where an identifier is a column of the source itself."""
        for column, source in self.naming:
            if is_empty(row.get(source)):
                raise Refused(RowFault("identifier_missing", column))

    def typed(self, row: Row, warnings: list[RowFault]) -> dict[str, Any]:
        """Values by column; a column that is not in the row is not in the result."""
        values: dict[str, Any] = {}
        for one in self.columns:
            if one.source not in row:
                if one.mandatory and not self.configuration.ignore_missing:
                    raise Refused(RowFault("mandatory_empty", one.name))
                continue
            value = row[one.source]
            if is_empty(value) and one.mandatory:
                raise Refused(RowFault("mandatory_empty", one.name, masked(value)))
            if value is None and self.configuration.ignore_missing:
                continue
            self.read(one, value, values, warnings)
        return values

    def read(self, one: Column, value: Any, values: dict[str, Any], warnings: list[RowFault]) -> None:
        try:
            values[one.name] = read_as(value, one.type, self.reading)
        except BadValue:
            self.complain(RowFault("type_mismatch", one.name, masked(value)), warnings)

    def complain(self, fault: RowFault, warnings: list[RowFault]) -> None:
        """A value that nothing needs is left out; any other takes its row with it."""
        if fault.column in self.vital:
            raise Refused(fault)
        warnings.append(fault)

    def transform(self, values: dict[str, Any], warnings: list[RowFault]) -> None:
        for one in self.configuration.transformations:
            if not any(name in values for name in one.inputs):
                continue
            given = [values.get(name) for name in one.inputs]
            try:
                values[one.output] = transforms.call(one.function, given, one.params, self.reading)
            except BadValue:
                self.failed(one, given, values, warnings)

    def failed(
        self, one: Transformation, given: Sequence[Any], values: dict[str, Any], warnings: list[RowFault]
    ) -> None:
        if one.on_error == "error":
            values.pop(one.output, None)
            fault = RowFault("transformation_failed", one.output, masked(given[0]))
            raise Refused(fault)
        if one.on_error == "keep" and self.types[one.inputs[0]] == self.types[one.output]:
            values[one.output] = given[0]
        else:
            values[one.output] = None

    def new_columns(self, rows: Sequence[Row | BadRow]) -> set[str]:
        """Columns that the sample did not have."""
        names = {name for row in rows if isinstance(row, dict) for name in row}
        return names - self.known


class Target:
    """One schema, and how it is filled."""

    def __init__(self, mapping: Filled, schema: Schema) -> None:
        self.mapping = mapping
        self.schema = schema
        self.fields = {one.name: one for one in schema.fields.all()}
        needed = {one.name for one in self.fields.values() if one.mandatory}
        needed |= {schema.identifier, schema.key}
        self.vital = {column for name, column in mapping.fields.items() if name in needed}

    def fill(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, column in self.mapping.fields.items():
            one = self.fields[name]
            if name == self.schema.identifier:
                found[name] = self.named(values.get(column), column)
            elif column in values:
                found[name] = self.fitted(values[column], one.type, column)
            if one.mandatory and name != self.schema.identifier and is_empty(found.get(name)):
                raise Refused(RowFault("mandatory_empty", column))
        return found

    def named(self, value: Any, column: str) -> str:
        if is_empty(value):
            raise Refused(RowFault("identifier_missing", column))
        try:
            text = normal(self.schema.identifier, value)
        except BadIdentifier:
            raise Refused(RowFault("bad_identifier", column, masked(value))) from None
        if is_nobody(text):
            raise Refused(RowFault("identifier_blocked", column, masked(value)))
        return text

    def fitted(self, value: Any, kind: str, column: str) -> Any:
        try:
            return read_as(value, kind, ZONELESS) if kind != "string" else string(value)
        except BadValue:
            raise Refused(RowFault("type_mismatch", column, masked(value))) from None


ZONELESS = Reading()  # times have their zone already, once they are typed


def string(value: Any) -> str | None:
    return None if value is None else to_string(value)


def masked(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return text if not text else f"{text[:MASKED]}…".replace("\0", "?")
