"""Items that could not be applied wait for a person, who has them tried again or gives them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping

from django.db.models import QuerySet
from django.utils import timezone

from cdp.models import BulkItem
from cdp.webhook import queue, settled
from cdp.webhook.lane import changing
from config.rows import numbers

Status = BulkItem.Status


def failed() -> QuerySet[BulkItem]:
    """The failed items, oldest first; the index of those that were tried finds them."""
    return BulkItem.objects.filter(status=Status.FAILED, attempts__gt=0).order_by("pk")


def retry(items: Collection[int]) -> int:
    """Queue failed items again; return how many."""

    def queued(own: QuerySet[BulkItem]) -> None:
        # As tried before, so that what newer items say of the pair meanwhile holds.
        own.update(status=Status.QUEUED, attempts=1, available_at=timezone.now(), error="")

    return change(items, queued, {})


def remove(items: Collection[int]) -> int:
    """Give failed items up; return how many."""
    return change(items, lambda own: settled.drop(own.values_list("pk", flat=True)), {"skipped": 1})


def change(
    items: Collection[int], act: Callable[[QuerySet[BulkItem]], object], counted_as: Mapping[str, int]
) -> int:
    """Change failed items and the counts of their batches, one activation after the other."""
    wanted = failed().order_by().filter(pk__in=numbers(items))
    changed = 0
    for client_id in sorted(set(wanted.values_list("client_id", flat=True))):
        with changing(client_id):
            batches = Counter(wanted.filter(client_id=client_id).values_list("batch_id", flat=True))
            act(wanted.filter(client_id=client_id))
            more = {"failed": -1, **counted_as}
            settled.count({one: {name: n * by for name, by in more.items()} for one, n in batches.items()})
            changed += batches.total()
            queue.enqueue(client_id)
    return changed
