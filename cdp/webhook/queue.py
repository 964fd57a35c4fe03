"""What waits for the worker: applied in the order of its arrival, batch by batch (reference `cdp.md` 5).

The items are the truth. A job per activation works them off while there are any; a sweep makes one where a
crash left none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone

from cdp.models import BulkBatch, BulkItem, WebhookRequest
from cdp.webhook.apply import Status, Step, apply
from cdp.webhook.lane import passing
from config.jobs import queue as jobs
from config.jobs import schedule
from config.jobs.models import OPEN_STATES, Job
from personalization.segments.models import Segment

logger = logging.getLogger("cdp.webhook")

JOB = "cdp.webhook"
SWEEP_SECONDS = 5.0
AT_ONCE = 5_000
# Before the second to the fourth try; then a person looks at it.
DELAYS = (1, 2, 4)
KEPT, KEPT_FAILED = timedelta(days=7), timedelta(days=90)


def enqueue(client_id: str) -> None:
    """Have the worker look at what waits for an activation."""
    jobs.enqueue(JOB, {"client_id": client_id}, key=client_id)


@jobs.job(JOB, short=True)
def work(run: jobs.Run) -> dict[str, Any]:
    """Apply everything that waits for an activation."""
    done = 0
    while count := step(run.payload["client_id"]):
        done += count
        run.progress(done)
    return {"items": done}


def step(client_id: str) -> int:
    """Apply the oldest items that wait, in one transaction; return how many there were."""
    try:
        with passing(client_id):
            items = due(client_id)
            settle(items, results(items))
    except (IntegrityError, DataError):  # of one of them; an outage is for the job to try again
        items = one_by_one(client_id)
    return len(items)


def due(client_id: str) -> list[BulkItem]:
    waiting = BulkItem.objects.filter(client_id=client_id, status=Status.QUEUED)
    return list(waiting.filter(available_at__lte=timezone.now()).order_by("pk")[:AT_ONCE])


def results(items: Sequence[BulkItem]) -> list[Status]:
    """What becomes of the items: superseded, failed for good, or applied."""
    old = superseded_of(items)
    segments = set(Segment.objects.filter(pk__in={one.segment for one in items}).values_list("pk", flat=True))
    found: dict[int, Status] = {one.pk: Status.SUPERSEDED for one in items if one.pk in old}
    found |= {one.pk: Status.FAILED for one in items if one.pk not in found and one.segment not in segments}
    left = [one for one in items if one.pk not in found]
    outcome = apply([Step(one.segment, one.user, one.is_add) for one in left])
    found |= {one.pk: status for one, status in zip(left, outcome, strict=True)}
    return [found[one.pk] for one in items]


def superseded_of(items: Sequence[BulkItem]) -> set[int]:
    """Of items that are tried again those whose pair a newer one has been applied to meanwhile."""
    found = set()
    for one in items:
        if one.attempts:
            newer = BulkItem.objects.filter(
                client_id=one.client_id, segment=one.segment, user=one.user, pk__gt=one.pk
            )
            if newer.filter(status__in=[Status.APPLIED, Status.UNCHANGED]).exists():
                found.add(one.pk)
    return found


def settle(items: Sequence[BulkItem], outcome: Sequence[Status]) -> None:
    """Store what became of the items, and count it for their batches."""
    by_status: dict[Status, list[int]] = {}
    for one, status in zip(items, outcome, strict=True):
        by_status.setdefault(status, []).append(one.pk)
    for status, keys in by_status.items():
        more = {"error": "The segment of this item is gone."} if status is Status.FAILED else {}
        for start in range(0, len(keys), 1_000):
            BulkItem.objects.filter(pk__in=keys[start : start + 1_000]).update(status=status, **more)
    count(batch for batch in {one.batch_id for one in items})


def count(batches: Iterable[Any]) -> None:
    """Count anew what became of the items of some batches."""
    for batch in batches:
        rows = BulkItem.objects.filter(batch=batch).order_by().values("status").annotate(count=Count("pk"))
        counts = {row["status"]: row["count"] for row in rows}
        waits = counts.get(Status.QUEUED, 0)
        BulkBatch.objects.filter(pk=batch).update(
            applied=counts.get(Status.APPLIED, 0),
            # What a newer action made pointless changed nothing.
            unchanged=counts.get(Status.UNCHANGED, 0) + counts.get(Status.SUPERSEDED, 0),
            skipped=counts.get(Status.SKIPPED, 0),
            failed=counts.get(Status.FAILED, 0),
            finished_at=None if waits else timezone.now(),
        )


def one_by_one(client_id: str) -> list[BulkItem]:
    """Each in a savepoint of its own: one that cannot be applied does not hold up its neighbours."""
    with passing(client_id):
        items = due(client_id)
        for one in items:
            try:
                with transaction.atomic():
                    settle([one], results([one]))
            except (IntegrityError, DataError) as fault:
                again(one, type(fault).__name__)
    return items


def again(item: BulkItem, error: str) -> None:
    """Try once more in a while; after the last try it waits for a person."""
    tried = item.attempts + 1
    if item.attempts >= len(DELAYS):
        BulkItem.objects.filter(pk=item.pk).update(status=Status.FAILED, attempts=tried, error=error)
        count([item.batch_id])
        logger.error("An item of batch %s failed: %s", item.batch_id, error)
        return
    later = timezone.now() + timedelta(seconds=DELAYS[item.attempts])
    BulkItem.objects.filter(pk=item.pk).update(attempts=tried, available_at=later, error=error)


def supersede(client_id: str, steps: Sequence[Step]) -> None:
    """Items that wait for the pairs of a request that is applied at once are older than it."""
    # Failed ones too, which somebody may have tried again later.
    waiting = BulkItem.objects.filter(client_id=client_id, status__in=[Status.QUEUED, Status.FAILED])
    if not steps or not waiting.exists():
        return
    pairs = {(one.segment, one.user) for one in steps if one.user is not None}
    rows = waiting.filter(user__in={user for _, user in pairs})
    old = [
        (pk, batch)
        for pk, batch, segment, user in rows.values_list("pk", "batch", "segment", "user")
        if (segment, user) in pairs
    ]
    BulkItem.objects.filter(pk__in=[pk for pk, _ in old]).update(status=Status.SUPERSEDED)
    count({batch for _, batch in old})


def retry(items: Iterable[int]) -> int:
    """Queue failed items again; return how many."""
    # As tried before: what newer items said of the pair meanwhile holds.
    return failed_ones(items, status=Status.QUEUED, attempts=1, available_at=timezone.now(), error="")


def remove(items: Iterable[int]) -> int:
    """Give failed items up; return how many."""
    return failed_ones(items, status=Status.SKIPPED)


def failed_ones(items: Iterable[int], **values: Any) -> int:
    """Change failed items and the counts of their batches, one activation after the other."""
    failed = BulkItem.objects.filter(pk__in=list(items), status=Status.FAILED)
    changed = 0
    for client_id in sorted(set(failed.values_list("client_id", flat=True))):
        with passing(client_id):
            own = failed.filter(client_id=client_id)
            batches = set(own.values_list("batch", flat=True))
            changed += own.update(**values)
            count(batches)
            enqueue(client_id)
    return changed


@schedule.periodic("cdp.webhook_sweep", every=SWEEP_SECONDS)
def sweep() -> None:
    """Make the jobs that a crash, or a lost table of jobs, left unmade."""
    waiting = BulkItem.objects.filter(status=Status.QUEUED, available_at__lte=timezone.now())
    open_for = set(
        Job.objects.filter(kind=JOB, state__in=OPEN_STATES).values_list("payload__client_id", flat=True)
    )
    for client_id in waiting.order_by().values_list("client_id", flat=True).distinct():
        if client_id not in open_for:
            enqueue(client_id)


@schedule.periodic("cdp.webhook_purge", every=3600.0)
def purge() -> None:
    """Forget what is settled, with the answers that repetitions would get."""
    now = timezone.now()
    old = BulkBatch.objects.filter(received_at__lt=now - KEPT, finished_at__isnull=False)
    old.filter(~Q(items__status=Status.FAILED)).delete()
    BulkBatch.objects.filter(received_at__lt=now - KEPT_FAILED, finished_at__isnull=False).delete()
    WebhookRequest.objects.filter(received_at__lt=now - KEPT_FAILED).delete()
