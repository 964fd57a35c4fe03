"""Where a project has its say in the rows that go out (reference `cdp.md` 1.3).

Processors of users all run, those of a higher priority first, each with the row that the one before it
returned. Of the processors of fields, and of those of their values, the first that supports a field has it
alone; the built-in ones have the priority -100, so any other beats them. Equal priorities keep the order of
registration.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from config.site_access import SiteAccess

BUILT_IN = -100
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an item as the read model has it. ``type``: a word such as ``richtext``; see
    :data:`content.items.kinds.KINDS`."""

    identifier: str
    type: str
    value: Any
    content_id: int
    item_type: str
    language: str


UserProcessor = Callable[[Row, Any], Row]
FieldProcessor = Callable[[Field], Mapping[str, Any]]
Supports = Callable[[Field], bool]
OfSite = Callable[[QuerySet[Any], SiteAccess], QuerySet[Any]]
UserType = Callable[[], QuerySet[Any]]
F = TypeVar("F", bound=Callable[..., Any])
P = TypeVar("P")


@dataclass(frozen=True)
class Choice(Generic[P]):
    priority: int
    function: P
    supports: Supports | None = None


@dataclass
class Registry(Generic[P]):
    """Functions in the order in which they are asked."""

    choices: list[Choice[P]] = field(default_factory=list)

    def add(self, priority: int, function: P, supports: Supports | None = None) -> None:
        self.choices.append(Choice(priority, function, supports))
        self.choices.sort(key=lambda one: -one.priority)  # stable

    def remove(self, function: P) -> None:
        self.choices = [one for one in self.choices if one.function is not function]

    def all(self) -> list[P]:
        return [one.function for one in self.choices]

    def of(self, asked: Field) -> P | None:
        """The first that supports the field."""
        return next((one.function for one in self.choices if one.supports and one.supports(asked)), None)


user_processors: Registry[UserProcessor] = Registry()
user_querysets: Registry[OfSite] = Registry()
field_processors: Registry[FieldProcessor] = Registry()
value_processors: Registry[FieldProcessor] = Registry()
user_types: dict[str, UserType] = {}


def user_item_processor(*, priority: int = 0) -> Callable[[F], F]:
    """Register ``(row, user) -> row`` for the rows of users."""

    def register(function: F) -> F:
        user_processors.add(priority, function)
        return function

    return register


def user_queryset(function: F) -> F:
    """Register ``(queryset, site) -> queryset``, which leaves users out or fetches with them what processors
    read; the order and the slices are the export's own."""
    user_querysets.add(0, function)
    return function


def user_type(identifier: str) -> Callable[[F], F]:
    """Register ``() -> queryset`` as what ``--user-content-type=<identifier>`` exports."""

    def register(function: F) -> F:
        user_types[identifier] = function
        return function

    return register


def field_processor(
    *, priority: int = 0, field_types: Collection[str] = (), supports: Supports | None = None
) -> Callable[[F], F]:
    """Register ``(field) -> mapping of scalars``; each key goes out as ``field_<identifier>_<key>``.

    Which fields: those of ``field_types``, or those for which ``supports(field)`` is true, or all.
    """

    def register(function: F) -> F:
        field_processors.add(priority, function, supports or of_types(field_types))
        return function

    return register


def field_value_processor(
    *, priority: int = 0, field_types: Collection[str] = (), supports: Supports | None = None
) -> Callable[[F], F]:
    """Register ``(field) -> mapping of scalars``: the key ``value`` goes out as ``field_<identifier>_value``,
    any other as ``field_<identifier>_value_<key>``."""

    def register(function: F) -> F:
        value_processors.add(priority, function, supports or of_types(field_types))
        return function

    return register


def skip_field_type(field_type: str, *, priority: int = 0) -> None:
    """Leave the fields of a type out of the rows."""
    field_processors.add(priority, nothing, of_types([field_type]))


def json_field_type(field_type: str, *, priority: int = 0) -> None:
    """Send the values of a type as one text of JSON, which no platform can map."""
    from cdp.export.values import as_json

    value_processors.add(priority, as_json, of_types([field_type]))


def nothing(_field: Field) -> Mapping[str, Any]:
    return {}


def of_types(types: Collection[str]) -> Supports:
    return lambda asked: not types or asked.type in types
