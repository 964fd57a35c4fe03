"""Erasing a person: a tombstone first, then place after place, then the receipt.

The tombstone is committed before anything is removed, so whoever calls again after a crash, or the worker,
carries on with the same people. Collectors go on working; what they had accepted but not yet stored at that
moment is found by the second round, or by the worker's sweep.

A command does it at once; a screen begins, and a worker does the rest (:func:`ask`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from config.jobs import queue
from tracking.models import Erasure, Tombstone
from tracking.people import tombstones
from tracking.people.place import Place
from tracking.people.places import places
from tracking.people.spans import Span

JOB = "erase_person"
DIGITS = 8
SETTLE_SECONDS = 1.0  # longer than a collector keeps a batch in memory
MOST_ROUNDS = 5


def begin(spans: Sequence[Span], *, linked: bool) -> Erasure:
    """Commit the tombstones; an erasure of the same person that did not finish is taken up again."""
    now = timezone.now()
    erased_at = int(now.timestamp() * 1_000_000)
    with transaction.atomic(using=settings.EVENTS_DB):
        erasure = unfinished(spans[0])
        if erasure is None:
            erasure = Erasure(receipt=f"E-{secrets.token_hex(6)}", customer_id=spans[0].customer_id)
            erasure.digits = spans[0].user[:DIGITS]
        erasure.erased_at, erasure.linked = erased_at, erasure.linked or linked
        erasure.save()
        expires_at = now + timedelta(days=settings.TOMBSTONE_DAYS)
        for span in spans:
            erasure.tombstones.update_or_create(
                customer_id=span.customer_id,
                user=span.user,
                after=span.after,
                until=span.until,
                defaults={"expires_at": expires_at},
            )
    return erasure


def ask(spans: Sequence[Span], *, linked: bool) -> Erasure:
    """Begin, and have a worker finish. Should the job be lost, the worker's sweep comes to it."""
    erasure = begin(spans, linked=linked)
    queue.enqueue(JOB, {"erasure": erasure.pk}, key=erasure.receipt, customer_id=erasure.customer_id)
    return erasure


@queue.job(JOB, short=True)
def run(run: queue.Run) -> dict[str, Any]:
    return dict(finish(Erasure.objects.get(pk=run.payload["erasure"])).counts)


def unfinished(span: Span) -> Erasure | None:
    found = Erasure.objects.filter(
        finished_at=None, customer_id=span.customer_id, tombstones__user=span.user, digits=span.user[:DIGITS]
    )
    return found.select_for_update().first()


def finish(erasure: Erasure) -> Erasure:
    """Erase everywhere until a round finds nothing; safe to call again after a crash at any point.

    Raises :class:`~tracking.lake_rewrite.LakeBusy` and :class:`~config.faults.Fault`; calling again goes on.
    """
    spans = tombstones.spans_of(erasure.pk)
    for number in range(MOST_ROUNDS):
        if number:
            time.sleep(SETTLE_SECONDS)
        if not erase_round(erasure, spans, places()) and number:
            break
    shrink_log()
    Erasure.objects.filter(pk=erasure.pk).update(finished_at=timezone.now())
    erasure.refresh_from_db()
    return erasure


def erase_round(erasure: Erasure, spans: Sequence[Span], where: Sequence[Place]) -> int:
    total = 0
    for place in where:
        erased = place.erase(spans, at=erasure.erased_at)
        note(erasure.pk, place.name, erased)
        total += erased
    return total


def note(erasure_id: int, place: str, erased: int) -> None:
    """Add to the receipt; the command and the worker may be at it at the same time."""
    with transaction.atomic(using=settings.EVENTS_DB):
        row = Erasure.objects.select_for_update().get(pk=erasure_id)
        if place not in row.counts or erased:
            row.counts[place] = row.counts.get(place, 0) + erased
            row.save(update_fields=["counts"])


def shrink_log() -> None:
    """SQLite's log holds pages as they were before; it is emptied as soon as nobody reads."""
    connection = connections[settings.EVENTS_DB]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for _try in range(20):
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.1)


def sweep() -> int:
    """What the worker does regularly: carry on, catch what was on its way, let old tombstones go."""
    Tombstone.objects.filter(expires_at__lte=timezone.now()).delete()
    for erasure in Erasure.objects.filter(finished_at=None):
        finish(erasure)
    tables = [place for place in places() if place.name in ("events", "logins")]
    erasures = Erasure.objects.filter(tombstones__expires_at__gt=timezone.now()).distinct()
    return sum(erase_round(one, tombstones.spans_of(one.pk), tables) for one in erasures)
