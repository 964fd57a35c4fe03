"""Bringing the whole read model up to date, after an import or a change of a page type."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import islice

from content.items import sources
from content.items.materialise import BATCH, Outcome, materialise
from content.items.record import Item
from content.items.sources import ItemSource
from content.items.types import item_types as declared_types


class UnknownItemType(LookupError):
    """An item type that no model declares."""


Progress = Callable[[int, int], None]  # done, total


def rebuild(
    *,
    site_id: int | None = None,
    item_types: Collection[str] | None = None,
    announce: bool = True,
    progress: Progress | None = None,
) -> Outcome:
    """Write every item that differs from its rows; return the counts. Safe to repeat and to interrupt.

    ``progress`` is called with (items done, items in all). Raises UnknownItemType.
    """
    wanted = _known(item_types)
    work = [(source, sorted(wanted & set(source.item_types()))) for source in sources.registered()]
    total = sum(source.count(types) for source, types in work)
    done, outcome = 0, Outcome()
    for source, types in work:
        seen: set[str] = set()
        for batch in _batches(source.keys(types)):
            outcome += materialise(source, batch, site_id=site_id, announce=announce)
            seen.update(batch)
            done += len(batch)
            if progress:
                progress(done, max(done, total))
        outcome += _remove_orphans(source, types, seen, site_id=site_id, announce=announce)
    return outcome


def _known(item_types: Collection[str] | None) -> set[str]:
    declared = set(declared_types())
    if item_types is None:
        return declared
    for name in item_types:
        if name not in declared:
            raise UnknownItemType(
                f"The item type {name!r} is not declared; known are {', '.join(sorted(declared))}."
            )
    return set(item_types)


def _batches(keys: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(keys, BATCH)):
        yield batch


def _remove_orphans(
    source: ItemSource, types: Collection[str], seen: set[str], *, site_id: int | None, announce: bool
) -> Outcome:
    """Take items out of sight whose objects were deleted behind our back."""
    rows = Item.objects.filter(item_type__in=types, is_visible=True)
    if site_id is not None:
        rows = rows.filter(site_id=site_id)
    orphans = {key for key in rows.values_list("remote_id", flat=True).iterator() if key not in seen}
    return materialise(source, orphans, site_id=site_id, announce=announce)
