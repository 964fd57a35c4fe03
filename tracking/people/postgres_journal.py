"""The journal of collectors on PostgreSQL as a place: batches that are JSON documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from tracking import identity
from tracking.collector.postgres_journal import as_document
from tracking.collector.rows import EdgeRow, EventRow, unlinked
from tracking.models import JournaledBatch
from tracking.people.spans import Span


def find(spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
    for batch in batches_of(spans).order_by("pk").iterator(20):
        events, edges = rows_of(batch)
        yield from (one._asdict() for one in events if any(holds(span, one) for span in spans))
        yield from (one._asdict() for one in edges if any(joins(span, one) for span in spans))


def erase(spans: Sequence[Span], *, at: int) -> int:
    return sum(erase_in(number, spans, at=at) for number in batches_of(spans).values_list("pk", flat=True))


def erase_in(number: int, spans: Sequence[Span], *, at: int) -> int:
    """Write one batch anew. Its lock makes the mover skip it, and waits for a mover that has it already."""
    with transaction.atomic(using=settings.EVENTS_DB):
        batch = JournaledBatch.objects.select_for_update().filter(pk=number).first()
        if batch is None:
            return 0
        events, edges = rows_of(batch)
        kept = [after_erasure(one, spans, at=at) for one in events]
        left = [one for one in edges if not any(joins(span, one) and one.ts <= at for span in spans)]
        changed = sum(new != old for new, old in zip(kept, events, strict=True)) + len(edges) - len(left)
        if changed:
            write(batch, [one for one in kept if one is not None], left)
        return changed


def outdated(customer_id: str) -> int:
    """Only of what was refused; all else is gone in a moment, and reading it would take longer."""
    return sum(len(outdated_in(batch, customer_id)) for batch in refused().iterator(20))


def outdated_in(batch: JournaledBatch, customer_id: str) -> list[EventRow]:
    low, high = identity.outdated()
    events, _edges = rows_of(batch)
    return [one for one in events if one.customer_id == customer_id and low <= one.user < high]


def refused() -> QuerySet[JournaledBatch]:
    return JournaledBatch.objects.filter(refused=True).order_by("pk")


def rekey_refused(customer_id: str) -> int:
    total = 0
    for number in refused().values_list("pk", flat=True):
        with transaction.atomic(using=settings.EVENTS_DB):
            batch = refused().select_for_update().filter(pk=number).first()
            if batch and (concerned := len(outdated_in(batch, customer_id))):
                rekey_batch(batch, customer_id)
                total += concerned
    return total


def rekey_batch(batch: JournaledBatch, customer_id: str) -> None:
    events, edges = rows_of(batch)

    def renewed(user: str) -> str:
        return identity.newest(customer_id, user)

    write(
        batch,
        [one._replace(user=renewed(one.user)) if one.customer_id == customer_id else one for one in events],
        [
            one._replace(source=renewed(one.source), target=renewed(one.target))
            if one.customer_id == customer_id
            else one
            for one in edges
        ],
    )


def write(batch: JournaledBatch, events: list[EventRow], edges: list[EdgeRow]) -> None:
    if not events and not edges:
        batch.delete()
        return
    batch.size, batch.events, batch.edges = len(events), as_document(events), as_document(edges)
    batch.save()


def after_erasure(row: EventRow, spans: Sequence[Span], *, at: int) -> EventRow | None:
    """The row as it may stay; None where it goes."""
    for span in spans:
        if holds(span, row):
            if row.received <= at:
                return None
            if row.ts <= at:
                return unlinked(row)
    return row


def batches_of(spans: Sequence[Span]) -> QuerySet[JournaledBatch]:
    mentioned = Q()
    for user in {span.user for span in spans}:
        mentioned |= Q(events__contains=user) | Q(edges__contains=user)
    return JournaledBatch.objects.filter(mentioned)


def rows_of(batch: JournaledBatch) -> tuple[list[EventRow], list[EdgeRow]]:
    return [EventRow(*row) for row in json.loads(batch.events)], [
        EdgeRow(*row) for row in json.loads(batch.edges)
    ]


def holds(span: Span, row: EventRow) -> bool:
    return (row.customer_id, row.user) == (span.customer_id, span.user) and span.after < row.ts <= span.until


def joins(span: Span, edge: EdgeRow) -> bool:
    ends = (edge.source, edge.target)
    return edge.customer_id == span.customer_id and span.user in ends and span.after < edge.ts <= span.until
