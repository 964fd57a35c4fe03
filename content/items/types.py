"""Item types: the kinds of objects that can be recommended, declared beside their models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model

M = TypeVar("M", bound=type[Model])


class WrongItemType(ImproperlyConfigured, ValueError):
    """A declaration that cannot be; the message says why."""


@dataclass(frozen=True, kw_only=True)
class ItemType:
    """One kind of item: its names on the wire and where its fields come from.

    ``fields`` maps exported identifiers to attributes of the model, in the order of the payload; None
    exports the title and every field that the model itself declares. ``author`` names the attribute behind
    the system key ``author`` ("" for none).
    """

    identifier: str
    id: int
    model: type[Model]
    fields: Mapping[str, str] | None = None
    author: str = "author"

    @property
    def name(self) -> str:
        """The type's name for people, in the active language."""
        return str(self.model._meta.verbose_name).capitalize()


_TYPES: dict[str, ItemType] = {}


def item_type(
    identifier: str, *, id: int, fields: Mapping[str, str] | None = None, author: str = "author"
) -> Callable[[M], M]:
    """Declare a model as an item type: ``@item_type("place", id=38)``.

    Raises :class:`WrongItemType` when the identifier or the number belongs to another model.
    """

    def declare(model: M) -> M:
        register_type(ItemType(identifier=identifier, id=id, model=model, fields=fields, author=author))
        return model

    return declare


def register_type(declared: ItemType) -> None:
    """Add an item type; declaring the same model twice replaces the first declaration."""
    if not declared.identifier.isidentifier() or declared.id < 1:
        raise WrongItemType(
            "An item type needs an identifier of letters, digits and underscores and a positive id; "
            f"got {declared.identifier!r} and {declared.id!r}."
        )
    for other in _TYPES.values():
        clash = other.identifier == declared.identifier or other.id == declared.id
        if clash and other.model._meta.label != declared.model._meta.label:
            raise WrongItemType(
                f"Item type {declared.identifier!r} (id {declared.id}) of {declared.model._meta.label} "
                f"clashes with {other.identifier!r} (id {other.id}) of {other.model._meta.label}. "
                f"Taken are: {', '.join(f'{one.identifier} {one.id}' for one in _TYPES.values())}."
            )
    _TYPES[declared.identifier] = declared


def item_types() -> dict[str, ItemType]:
    """Return every declared item type by its identifier, in the order of declaration."""
    return dict(_TYPES)


def type_of(model: type[Model]) -> ItemType | None:
    """Return the item type declared on exactly this model, or None."""
    return next((declared for declared in _TYPES.values() if declared.model is model), None)
