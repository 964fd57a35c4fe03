"""Where items come from: the protocol that joins any model, and the registry of those that joined."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from content.items.types import ItemType


@dataclass(frozen=True, kw_only=True)
class SourceItem:
    """An item in one language on one site, before it becomes a row.

    ``instance`` is what the fields of ``item_type`` are read from. ``category_paths`` has one path per
    location, the main one first. Without ``published_at`` an item keeps the time of its first row.
    ``relations`` are the entry's `field.relations`: fields that are read from a related object.
    """

    item_type: ItemType
    key: str
    site_id: int
    language: str  # eng-GB
    uri: str
    category_paths: Sequence[str]
    author: str
    published_at: datetime | None
    instance: Any
    relations: Mapping[str, str] = field(default_factory=dict)


class ItemSource(Protocol):
    """Hands out what the public may see.

    A key names an item in all its languages and is also its remote id; it never changes.
    """

    name: str

    def item_types(self) -> Collection[str]:
        """Identifiers of the item types whose rows this source owns."""

    def count(self, item_types: Collection[str]) -> int:
        """How many keys :meth:`keys` yields, for progress."""

    def keys(self, item_types: Collection[str]) -> Iterator[str]:
        """Every key of these types, visible or not, without holding all of them in memory."""

    def numbers(self, keys: Collection[str]) -> Mapping[str, int | None]:
        """The content id that each existing key would like to have; None takes a free one."""

    def prepare(self, keys: Collection[str]) -> None:
        """Do slow work, pictures for example, before rows are locked."""

    def fetch(self, keys: Collection[str]) -> Sequence[SourceItem]:
        """The visible items of these keys, in every language and on every site."""

    def below(self, key: str) -> Iterator[str]:
        """Keys of everything in the subtree that ``key`` names; nothing for flat sources."""


_SOURCES: dict[str, ItemSource] = {}


def register(source: ItemSource) -> ItemSource:
    """Add a source; a second one of the same name replaces the first.

    Raises ValueError when the name is empty or longer than 64 characters.
    """
    if not 1 <= len(source.name) <= 64:
        raise ValueError(f"The name of an item source must have 1 to 64 characters; got {source.name!r}.")
    _SOURCES[source.name] = source
    return source


def unregister(name: str) -> None:
    """Take a source out again; its rows stay until they are rebuilt."""
    _SOURCES.pop(name, None)


def registered() -> tuple[ItemSource, ...]:
    """Return every source in the order of registration."""
    return tuple(_SOURCES.values())


def named(name: str) -> ItemSource | None:
    """Return the source of this name, or None."""
    return _SOURCES.get(name)
