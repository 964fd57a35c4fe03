"""Items that are settled: counted in their batches, and gone in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, Value, When
from django.utils import timezone

from cdp.models import BulkBatch, BulkItem
from config import rows

# By the columns of a batch: what an overtaken action would have changed is as it should be.
COLUMNS = {"superseded": "unchanged"}


def counted(outcomes: Iterable[tuple[UUID, str]]) -> dict[UUID, Counter[str]]:
    """Batch -> column -> how many; of pairs of a batch and what became of one of its items."""
    found: dict[UUID, Counter[str]] = {}
    for (batch, outcome), count in Counter(outcomes).items():
        found.setdefault(batch, Counter())[COLUMNS.get(outcome, outcome)] += count
    return found


def count(changes: Mapping[UUID, Mapping[str, int]]) -> None:
    """Add to the counts of batches; a batch whose items are all settled is finished."""
    for batch, by in changes.items():
        row = BulkBatch.objects.filter(pk=batch)
        row.update(**{name: F(name) + count for name, count in by.items()})
        settled = F("applied") + F("unchanged") + F("skipped") + F("failed")
        is_finished = When(total__lte=settled, then=Value(timezone.now()))
        row.update(finished_at=Case(is_finished, default=Value(None)))


def drop(keys: Iterable[int]) -> None:
    """Forget items. A delete of the ORM reads each of them first, for whoever listens for deletions."""
    wanted = rows.numbers(list(keys))
    table = BulkItem._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id IN ({wanted.sql})", wanted.params)  # noqa: S608
