"""The item store: the only writer and reader of :class:`StoredItem`.

``moment`` is the transaction an item comes from, 17 digits; a row is never overwritten or removed by an older
one, so that imports may arrive late, twice or out of order. Every write takes a revision, by which the
catalogues in memory follow: :mod:`personalization.server.items.revisions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from personalization.server.items import revisions
from personalization.server.items.mapping import Columns
from personalization.server.models import StoredItem

__all__ = ["StoredItem", "find", "moment_now", "moment_of", "named", "remove", "remove_missing", "upsert"]

BATCH = 500
NAMES = ("name", "title")
UPDATED = [
    "type_identifier",
    "description",
    "uri",
    "image",
    "price",
    "currency",
    "base_id",
    "valid_from",
    "valid_to",
    "category_paths",
    "attributes",
    "content",
    "transaction",
    "updated_at",
    "revision",
]


def moment_now() -> str:
    """This moment as 17 digits, to the millisecond in UTC."""
    return f"{timezone.now().astimezone(UTC):%Y%m%d%H%M%S%f}"[:17]


def moment_of(transaction_id: str) -> str:
    """The moment of a transaction id, whose last three digits are random: the start of its second."""
    return transaction_id[:14] + "000"


def upsert(
    customer_id: str, rows: Sequence[Columns], *, language: str, moment: str, now: datetime | None = None
) -> int:
    """Write items of one customer and language; returns how many were written.

    ``moment``: :func:`moment_now` where there is no export. ``now`` is when the items were received, for
    those that are new; items of one import share it.
    """
    written = 0
    now = now or timezone.now()
    for start in range(0, len(rows), BATCH):
        # One statement may not touch a row twice; the last of an id wins.
        batch = {(row.item_type, row.item_id): row for row in rows[start : start + BATCH]}
        with transaction.atomic():
            revision = revisions.raised(customer_id)
            newer = newer_ids(customer_id, list(batch), language=language, moment=moment)
            fresh = [row for key, row in batch.items() if key not in newer]
            shared = {"language": language, "transaction": moment, "added_at": now, "updated_at": now}
            write(customer_id, fresh, shared | {"revision": revision})
        written += len(fresh)
    return written


def newer_ids(
    customer_id: str, keys: list[tuple[int, str]], *, language: str, moment: str
) -> set[tuple[int, str]]:
    """Which of these items already hold something newer than ``moment``."""
    found = StoredItem.objects.filter(
        customer_id=customer_id,
        language=language,
        item_type__in={item_type for item_type, _ in keys},
        item_id__in=[item_id for _, item_id in keys],
        transaction__gt=moment,
    )
    return set(found.values_list("item_type", "item_id"))


def write(customer_id: str, rows: list[Columns], shared: dict[str, Any]) -> None:
    StoredItem.objects.bulk_create(
        [StoredItem(customer_id=customer_id, **shared, **vars(row)) for row in rows],
        update_conflicts=True,
        unique_fields=["customer_id", "item_type", "item_id", "language"],
        update_fields=UPDATED,
    )


def remove(customer_id: str, *, item_type: int, item_id: str, language: str, moment: str) -> int:
    """Remove one item, in one language or (empty) all; returns how many rows went."""
    rows = StoredItem.objects.filter(
        customer_id=customer_id, item_type=item_type, item_id=item_id, transaction__lte=moment
    )
    return remove_rows(customer_id, rows.filter(language=language) if language else rows)


def remove_missing(customer_id: str, *, item_type: int, language: str, moment: str) -> int:
    """Remove what a complete export of ``moment`` did not contain; returns how many rows went."""
    stale = StoredItem.objects.filter(
        customer_id=customer_id, item_type=item_type, language=language, transaction__lt=moment
    )
    return remove_rows(customer_id, stale)


def remove_rows(customer_id: str, rows: QuerySet[StoredItem]) -> int:
    """Remove the rows and note which items lost one; returns how many went.

    One transaction, so that no reader sees some of them gone and others not.
    """
    removed = 0
    with transaction.atomic():
        revision = revisions.raised(customer_id)
        while batch := list(rows.values_list("pk", "item_type", "item_id")[:BATCH]):
            StoredItem.objects.filter(pk__in=[pk for pk, _, _ in batch]).delete()
            keys = {(item_type, item_id) for _, item_type, item_id in batch}
            revisions.note_removed(customer_id, keys, revision=revision)
            removed += len(batch)
    return removed


def find(customer_id: str, *, item_type: int, item_id: str, language: str = "") -> list[StoredItem]:
    """Every language of one item, or only ``language``."""
    rows = StoredItem.objects.filter(customer_id=customer_id, item_type=item_type, item_id=item_id)
    if language:
        rows = rows.filter(language=language)
    return list(rows.order_by("language"))


def named(customer_id: str, text: str, *, limit: int) -> list[tuple[StoredItem, str]]:
    """Items whose name holds ``text``, whatever its case, with that name; those that begin with it first."""
    wanted = text.casefold()
    found = []
    for row in StoredItem.objects.filter(customer_id=customer_id).order_by("item_type", "item_id").iterator():
        name = next((value for key, _, value in row.attributes if key in NAMES), "")
        if wanted in name.casefold():
            found.append((row, name))
    found.sort(key=lambda pair: (not pair[1].casefold().startswith(wanted), pair[1]))
    return found[:limit]
