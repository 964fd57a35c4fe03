"""Requests that were taken, as screens show them: how each was handled and what became of its actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet

from cdp.models import BulkBatch, BulkItem, WebhookRequest
from cdp.webhook.failed import failed

COUNTS = ("applied", "unchanged", "skipped", "failed")


@dataclass(frozen=True, kw_only=True)
class Handled:
    """``counts`` by the names of :data:`COUNTS`; None where they went with their batch, which is kept for a
    week. ``waiting``: actions that are not settled."""

    is_queued: bool
    batch: BulkBatch | None
    counts: dict[str, int] | None
    waiting: int = 0


def batch_key(request: WebhookRequest) -> UUID | None:
    """Of the batch that a request became; None for one that was applied at once."""
    try:
        return UUID(str(request.answer.get("batch")))
    except ValueError:
        return None


def handled(requests: Sequence[WebhookRequest]) -> list[Handled]:
    """Of each request, with one look into the database."""
    keys = [batch_key(one) for one in requests]
    batches = BulkBatch.objects.in_bulk([key for key in keys if key])
    return [
        of(one, batches.get(key) if key else None, is_queued=key is not None)
        for one, key in zip(requests, keys, strict=True)
    ]


def of(request: WebhookRequest, batch: BulkBatch | None, *, is_queued: bool) -> Handled:
    if not is_queued:
        counts = {name: int(request.answer.get(name, 0)) for name in COUNTS}
        return Handled(is_queued=False, batch=None, counts=counts)
    if batch is None:
        return Handled(is_queued=True, batch=None, counts=None)
    counts = {name: getattr(batch, name) for name in COUNTS}
    waiting = max(0, batch.total - sum(counts.values()))
    return Handled(is_queued=True, batch=batch, counts=counts, waiting=waiting)


def parked(*, most: int) -> list[tuple[WebhookRequest, int]]:
    """Requests with actions that failed and wait for a person, the newest first, and how many."""
    of_batches = failed().order_by().values_list("batch").annotate(count=Count("pk"))
    counts = {str(batch): count for batch, count in of_batches}
    rows = (
        WebhookRequest.objects.filter(answer__batch__in=list(counts)).order_by("-pk")[:most] if counts else ()
    )
    return [(one, counts[str(one.answer["batch"])]) for one in rows]


def items(batch: BulkBatch) -> QuerySet[BulkItem]:
    """What is left of a batch: failed actions first, then those that wait."""
    return BulkItem.objects.filter(batch=batch).order_by("status", "pk")


def failed_items(batch: BulkBatch, keys: Iterable[int] | None = None) -> list[int]:
    """Keys of the failed actions of a batch, of all or among ``keys``."""
    rows = failed().filter(batch=batch)
    return list((rows if keys is None else rows.filter(pk__in=list(keys))).values_list("pk", flat=True))
