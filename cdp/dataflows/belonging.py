"""Which rows of a delivery are about a person, whether or not they would be stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from cdp.dataflows import transforms
from cdp.dataflows.configuration import Configuration
from cdp.dataflows.interpret.cut import ANY_BYTES, word
from cdp.dataflows.interpret.read import Row
from cdp.dataflows.values import BadValue, Reading, read_as
from cdp.profiles.identifiers import EMAIL, BadIdentifier, normal
from cdp.profiles.names import Named


class Belonging:
    """Rows of a person. ``configuration`` says which columns hold names; columns it does not know are
    compared with every name, since they may hold any. An address is a person's wherever it stands."""

    def __init__(self, names: Sequence[Named], configuration: Configuration, reading: Reading) -> None:
        self.configuration = configuration
        self.reading = reading
        self.names = {kind: {one.text for one in names if one.kind == kind} for kind, _ in names}
        self.columns = {one.source: one for one in configuration.columns} if configuration.mappings else {}
        self.named = [
            (kind, one.fields[kind])
            for one in configuration.mappings
            for kind in self.names
            if kind in one.fields
        ]
        spellings = {one.text for one in names} | {
            one.text.encode().decode(ANY_BYTES)
            for one in names  # in a body that is read byte by byte
        }
        self.words = [word(one) for one in sorted(spellings)]

    def text(self, text: str) -> bool:
        return any(is_in(text) for is_in in self.words)

    def row(self, row: Row) -> bool:
        for source, value in row.items():
            kinds = self.kinds_of(source)
            if any(self.is_name(kind, one) for one in scalars(value) for kind in kinds):
                return True
        values = self.values(row) if self.named else {}
        return any(self.is_name(kind, values.get(column)) for kind, column in self.named)

    def kinds_of(self, source: str) -> set[str]:
        """The kinds of names that a column of the source may hold."""
        known = self.columns.get(source)
        if known is None:
            return set(self.names)
        called = {source, known.name} | {kind for kind, column in self.named if column == known.name}
        return {kind for kind in self.names if kind in called or kind == EMAIL}

    def is_name(self, kind: str, value: Any) -> bool:
        with suppress(BadIdentifier):
            return normal(kind, value) in self.names[kind]
        return False

    def values(self, row: Row) -> dict[str, Any]:
        """By column, what the row would be stored from, as far as it can be read."""
        found: dict[str, Any] = {}
        for one in self.columns.values():
            with suppress(BadValue):
                found[one.name] = read_as(row.get(one.source), one.type, self.reading)
        for each in self.configuration.transformations:
            given = [found.get(name) for name in each.inputs]
            with suppress(BadValue):
                found[each.output] = transforms.call(each.function, given, each.params, self.reading)
        return found


def scalars(value: Any) -> Iterator[Any]:
    """The value, or what is in it at any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from scalars(one)
    else:
        yield value
