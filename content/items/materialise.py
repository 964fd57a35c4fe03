"""The only writer of the read model.

A change leaves a dirty row in its own transaction (:mod:`content.items.dirty`); after the commit the item
is read again and compared with its rows. What a crash left is swept by the worker.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import DatabaseError, transaction
from django.utils import timezone

from content.items import announce as news
from content.items import numbers, payload
from content.items.record import DirtyItem, Item
from content.items.sources import ItemSource, SourceItem

logger = logging.getLogger("personalization")

BATCH = 100
UPDATED = (
    "item_type",
    "remote_id",
    "uri",
    "category_paths",
    "published_at",
    "is_visible",
    "payload",
    "updated_at",
)
RowKey = tuple[int, int, str, str]  # site, item type id, remote id, language


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many rows were written, found unchanged, and taken out of sight."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            written=self.written + other.written,
            unchanged=self.unchanged + other.unchanged,
            removed=self.removed + other.removed,
        )


def materialise(
    source: ItemSource, keys: Iterable[str], *, site_id: int | None = None, announce: bool = True
) -> Outcome:
    """Bring the rows of these keys up to date, in every language, on one site or on all.

    A row whose item is gone or no longer public stays invisible, so that its id and history survive.
    ``announce=False`` sends no signals; a full export must follow.
    """
    done = Outcome()
    for batch in _batches(keys):
        source.prepare(batch)
        done += _write(source, batch, site_id=site_id, announce=announce)
    return done


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(dict.fromkeys(keys))
    while batch := list(islice(iterator, BATCH)):
        yield batch


@transaction.atomic
def _write(source: ItemSource, keys: list[str], *, site_id: int | None, announce: bool) -> Outcome:
    ids = numbers.lock(source, keys)
    # Read before the items are: a dirty row that arrives later belongs to a later reading.
    dirty = DirtyItem.objects.filter(source=source.name, source_id__in=keys, subtree=False)
    settled = list(dirty.values_list("pk", flat=True)) if site_id is None else []
    before = _rows_before(source, keys, site_id)
    after, failed = _rows_after(source, keys, ids=ids, before=before, site_id=site_id)

    changed = [row for key, row in after.items() if not _same(before.get(key), row)]
    gone = [
        row
        for key, row in before.items()
        if key not in after and row.is_visible and row.remote_id not in failed
    ]
    _store(changed, gone)
    DirtyItem.objects.filter(pk__in=settled).delete()
    if announce:
        news.put(changed=[row.ref() for row in changed], removed=[row.ref() for row in gone])
    return Outcome(written=len(changed), unchanged=len(after) - len(changed), removed=len(gone))


def _rows_before(source: ItemSource, keys: Collection[str], site_id: int | None) -> dict[RowKey, Item]:
    rows = Item.objects.filter(remote_id__in=keys, item_type__in=source.item_types())
    if site_id is not None:
        rows = rows.filter(site_id=site_id)
    return {_key(row): row for row in rows}


def _rows_after(
    source: ItemSource,
    keys: Collection[str],
    *,
    ids: dict[str, int],
    before: dict[RowKey, Item],
    site_id: int | None,
) -> tuple[dict[RowKey, Item], set[str]]:
    """Return the rows as they should be, and the keys of items that could not be built."""
    rows: dict[RowKey, Item] = {}
    failed: set[str] = set()
    for item in source.fetch(keys):
        if item.key not in ids or (site_id is not None and item.site_id != site_id):
            continue
        key = (item.site_id, item.item_type.id, item.key, item.language)
        try:
            rows[key] = _built(item, content_id=ids[item.key], old=before.get(key))
        except DatabaseError:
            raise
        except Exception:
            # The row stays as it was: an old item is better than none.
            failed.add(item.key)
            logger.exception("Item %s (%s) could not be built.", item.key, item.item_type.identifier)
    return rows, failed


def _built(item: SourceItem, *, content_id: int, old: Item | None) -> Item:
    published: datetime = item.published_at or (old.published_at if old else timezone.now())
    return Item(
        site_id=item.site_id,
        item_type=item.item_type.identifier,
        item_type_id=item.item_type.id,
        content_id=content_id,
        remote_id=item.key,
        language=item.language,
        uri=item.uri,
        category_paths=list(item.category_paths),
        published_at=published,
        is_visible=True,
        payload=payload.build(item, content_id=content_id, published_at=published),
    )


def _same(old: Item | None, new: Item) -> bool:
    # The payload repeats every other column that can change.
    return old is not None and old.is_visible and bytes(old.payload) == new.payload


def _store(changed: list[Item], gone: list[Item]) -> None:
    Item.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["site_id", "item_type_id", "content_id", "language"],
        update_fields=UPDATED,
    )
    Item.objects.filter(pk__in=[row.pk for row in gone]).update(is_visible=False, updated_at=timezone.now())


def _key(row: Item) -> RowKey:
    return (row.site_id, row.item_type_id, row.remote_id, row.language)
