"""The order of the writes to a customer's items, and what was written after a given one.

A revision is the moment of a write in milliseconds since 1970, raised by one where two would share it; a
database that is made anew or restored therefore never repeats one that a process has seen. The writer raises
it as the first statement of its transaction. The row stays locked until the end, so writers take turns, and
whoever reads revision N has everything up to N before them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from django.db.models import BigIntegerField, F, Max, QuerySet, TextField
from django.db.models.functions import Cast, Greatest

from personalization.server.models import ItemRevision, RemovedItem, StoredItem

Key = tuple[int, str]

NOTHING_READ = -1
# A process that has not looked for so long reads all items again.
REMOVALS_REMEMBERED_MS = 24 * 3600 * 1000
WRITTEN_AT_ONCE = 500


class Row(NamedTuple):
    """A stored row as text, which spares 100,000 rows the way through the ORM's converters."""

    item_type: int
    item_id: str
    valid_from: str | None  # ISO 8601; without an offset it is UTC
    valid_to: str | None
    added_at: str
    category_paths: str  # JSON
    price: str | None  # of one unit
    currency: str  # ISO 4217, of the price
    base_id: str  # of the product that it is a variant of


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a reader at an earlier revision has to take in to be at ``revision``."""

    revision: int
    rows: Sequence[Row] = ()  # in the order of their writing; the last of an item counts
    gone: Sequence[Key] = field(default_factory=tuple)
    # False: more was removed than is remembered, so ``rows`` is everything there is.
    continues: bool = True

    def __bool__(self) -> bool:
        return bool(self.rows or self.gone or not self.continues)


class TooMany(Exception):
    """More has changed than the reader wanted to wait for."""


def raised(customer_id: str) -> int:
    """The revision of a write that begins. The first statement of its transaction, which must be open."""
    now = int(time.time() * 1000)
    counter = ItemRevision.objects.filter(pk=customer_id)
    higher = Greatest(F("revision") + 1, now, output_field=BigIntegerField())
    if not counter.update(revision=higher):
        first = ItemRevision(customer_id=customer_id, revision=now, removals_from=now)
        ItemRevision.objects.bulk_create([first], ignore_conflicts=True)
        counter.update(revision=higher)
    return counter.values_list("revision", flat=True).get()


def note_removed(customer_id: str, keys: set[Key], *, revision: int) -> None:
    """Remember removals, and forget those that are too old to be asked for."""
    RemovedItem.objects.bulk_create(
        [
            RemovedItem(customer_id=customer_id, revision=revision, item_type=item_type, item_id=item_id)
            for item_type, item_id in sorted(keys)
        ],
        batch_size=WRITTEN_AT_ONCE,
    )
    old = RemovedItem.objects.filter(customer_id=customer_id, revision__lt=revision - REMOVALS_REMEMBERED_MS)
    newest = old.aggregate(newest=Max("revision"))["newest"]
    if newest is not None:
        old.delete()
        ItemRevision.objects.filter(pk=customer_id).update(removals_from=newest + 1)


def since(customer_id: str, revision: int, *, most: int | None = None) -> Changes:
    """What was written after ``revision`` (:data:`NOTHING_READ`: everything); one small query if nothing was.

    Raises :class:`TooMany` where that is more than ``most`` rows or removals.
    """
    # Read first: what is written meanwhile has a higher revision and is read again the next time.
    found = ItemRevision.objects.filter(pk=customer_id).values_list("revision", "removals_from").first()
    newest, removals_from = found or (0, 0)
    if newest == revision:
        return Changes(revision=revision)
    stored = StoredItem.objects.filter(customer_id=customer_id)
    # Higher than the newest: the database was restored or made anew.
    if revision == NOTHING_READ or not removals_from - 1 <= revision <= newest:
        return Changes(revision=newest, rows=read(stored, most=most), continues=False)
    changes = Changes(revision=newest, rows=read(stored.filter(revision__gt=revision), most=most))
    return with_removals(customer_id, changes, after=revision, most=most)


def with_removals(customer_id: str, changes: Changes, *, after: int, most: int | None) -> Changes:
    removals = RemovedItem.objects.filter(customer_id=customer_id, revision__gt=after)
    keys = removals.values_list("item_type", "item_id")
    found = list(keys if most is None else keys[: most + 1])
    if not found:
        return changes
    if most is not None and len(found) > most:
        raise TooMany
    # An item may be back, or have lost one of its languages only.
    left = read(
        StoredItem.objects.filter(
            customer_id=customer_id,
            item_type__in=removals.values("item_type"),
            item_id__in=removals.values("item_id"),
        ),
        most=None,
    )
    gone = set(found) - {(row.item_type, row.item_id) for row in left}
    return Changes(revision=changes.revision, rows=[*changes.rows, *left], gone=sorted(gone))


def read(rows: QuerySet[StoredItem], *, most: int | None) -> list[Row]:
    columns = rows.order_by("revision", "pk").values_list(
        "item_type",
        "item_id",
        *(
            Cast(name, TextField())
            for name in ("valid_from", "valid_to", "added_at", "category_paths", "price")
        ),
        "currency",
        "base_id",
    )
    found = [Row._make(row) for row in (columns if most is None else columns[: most + 1])]
    if most is not None and len(found) > most:
        raise TooMany
    return found


def seconds(moment: str) -> float:
    """Seconds since 1970 of an ISO 8601 text, in UTC where it has no offset."""
    found = datetime.fromisoformat(moment)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
