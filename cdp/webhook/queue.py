"""What waits for the worker: applied in the order of its arrival, batch by batch (reference `cdp.md` 5).

The items are the truth. A job per activation works them off while there are any; a sweep makes one where a
crash left none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from cdp.models import BulkBatch, BulkItem
from cdp.webhook import order, settled
from cdp.webhook.apply import Outcome, Step, apply
from cdp.webhook.lane import changing
from config import rows
from config.jobs import queue as jobs
from personalization.segments.models import Segment

logger = logging.getLogger("cdp.webhook")

Status = BulkItem.Status
JOB = "cdp.webhook"
# A fifth of a second for two cores: as long as a request that is applied at once may wait for the worker.
AT_ONCE = 5_000
# Before the second to the fourth try; then a person looks at it.
DELAYS = (1, 2, 4)
# After these a row says what the action wanted, so that what is older must not come after it.
CHANGING = Outcome.APPLIED, Outcome.UNCHANGED
GONE = "The segment of this item is gone."


class Item(NamedTuple):
    """What a step needs of a row: a model for each would take as long as all of the rest."""

    pk: int
    batch: UUID
    segment: int
    user: int | None
    is_add: bool
    attempts: int

    @property
    def step(self) -> Step:
        return Step(self.segment, self.user, self.is_add)


def add(client_id: str, steps: Sequence[Step], *, sequence: int | None) -> BulkBatch:
    """Store the steps of a request for the worker; the caller's transaction is that of its arrival."""
    batch = BulkBatch.objects.create(client_id=client_id, total=len(steps), sequence=sequence)
    given, parameters = rows.table(steps, segment="number", member="number", is_add="boolean")
    columns = "batch_id, client_id, status, attempts, available_at, created_at, error, segment, is_add"
    statement = f"""
        INSERT INTO {BulkItem._meta.db_table} ({columns}, {connection.ops.quote_name("user")})
        SELECT %s, %s, %s, 0, %s, %s, '', segment, is_add, member FROM {given} ORDER BY place
    """  # noqa: S608 - names of ours
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    key = BulkBatch._meta.pk.get_db_prep_value(batch.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(statement, [key, client_id, Status.QUEUED.value, now, now, *parameters])
    enqueue(client_id)
    return batch


def enqueue(client_id: str) -> None:
    """Have the worker look at what waits for an activation."""
    jobs.enqueue(JOB, {"client_id": client_id}, key=client_id)


def enqueue_again(client_id: str, *, delay: timedelta) -> None:
    """The same after a pause, which must not hold up what arrives meanwhile."""
    jobs.enqueue(JOB, {"client_id": client_id}, key=f"again {client_id}", delay=delay)


@jobs.job(JOB, short=True)
def work(run: jobs.Run) -> dict[str, Any]:
    """Apply everything that waits for an activation."""
    done = 0
    while count := step(run.payload["client_id"]):
        done += count
        run.progress(done)
    return {"items": done}


def step(client_id: str, *, most: int | None = None) -> int:
    """Apply the oldest items that wait, at most ``most``, in one transaction; return how many there were."""
    at_once = AT_ONCE if most is None else most
    try:
        with changing(client_id):
            items = due(client_id, most=at_once)
            settle(client_id, items)
    except (IntegrityError, DataError):  # of one of them; an outage is for the job to try again
        items = one_by_one(client_id, most=at_once)
    return len(items)


def due(client_id: str, *, most: int) -> list[Item]:
    waiting = BulkItem.objects.filter(client_id=client_id, status=Status.QUEUED)
    oldest = waiting.filter(available_at__lte=timezone.now()).order_by("pk")[:most]
    return [
        Item(*row) for row in oldest.values_list("pk", "batch_id", "segment", "user", "is_add", "attempts")
    ]


def settle(client_id: str, items: Sequence[Item]) -> None:
    """Apply items and count what became of them; only those that failed are kept."""
    if not items:
        return
    sequences = order.sequences_of({one.batch for one in items})
    outcome = results(client_id, items, [sequences.get(one.batch) for one in items])
    found = list(zip(items, outcome, strict=True))
    failed = [one.pk for one, became in found if became is Outcome.FAILED]
    BulkItem.objects.filter(pk__in=rows.numbers(failed)).update(
        status=Status.FAILED, error=GONE, attempts=F("attempts") + 1
    )
    settled.drop(one.pk for one, became in found if became is not Outcome.FAILED)
    settled.count(settled.counted((one.batch, became) for one, became in found))
    later = [(one, sequences.get(one.batch)) for one, became in found if became in CHANGING]
    order.supersede_tried(client_id, later)


def results(client_id: str, items: Sequence[Item], sequences: Sequence[int | None]) -> list[Outcome]:
    """What becomes of the items: failed for good where the segment is gone, else as :func:`changed` says."""
    segments = set(Segment.objects.filter(pk__in={one.segment for one in items}).values_list("pk", flat=True))
    left = [place for place, one in enumerate(items) if one.segment in segments]
    outcome = changed(client_id, [items[n].step for n in left], [sequences[n] for n in left])
    found = [Outcome.FAILED] * len(items)
    for place, became in zip(left, outcome, strict=True):
        found[place] = became
    return found


def changed(client_id: str, steps: Sequence[Step], sequences: Sequence[int | None]) -> list[Outcome]:
    """Apply steps but those that were overtaken by later requests."""
    late = order.overtaken(client_id, steps, sequences)
    outcome = iter(apply([one for one, is_late in zip(steps, late, strict=True) if not is_late]))
    return [Outcome.SUPERSEDED if is_late else next(outcome) for is_late in late]


def apply_now(client_id: str, steps: Sequence[Step], *, sequence: int | None) -> list[Outcome]:
    """Apply the steps of a request; what waits for the same pairs of user and segment is older than it."""
    order.supersede_waiting(client_id, steps, is_sequenced=sequence is not None)
    return changed(client_id, steps, [sequence] * len(steps))


def one_by_one(client_id: str, *, most: int) -> list[Item]:
    """Each in a savepoint of its own: one that cannot be applied does not hold up its neighbours."""
    with changing(client_id):
        items = due(client_id, most=most)
        for one in items:
            try:
                with transaction.atomic():
                    settle(client_id, [one])
            except (IntegrityError, DataError) as fault:
                again(client_id, one, type(fault).__name__)
    return items


def again(client_id: str, item: Item, error: str) -> None:
    """Try once more in a while; after the last try it waits for a person."""
    row = BulkItem.objects.filter(pk=item.pk)
    tried = item.attempts + 1
    if item.attempts >= len(DELAYS):
        row.update(status=Status.FAILED, attempts=tried, error=error)
        settled.count({item.batch: {"failed": 1}})
        logger.error("An item of batch %s failed: %s", item.batch, error)
        return
    delay = timedelta(seconds=DELAYS[item.attempts])
    row.update(attempts=tried, available_at=timezone.now() + delay, error=error)
    enqueue_again(client_id, delay=delay)


def clients_waiting(among: Iterable[str] | None = None) -> list[str]:
    """The activations for which items are due; ``among``: only of these."""
    waiting = BulkItem.objects.filter(status=Status.QUEUED, available_at__lte=timezone.now())
    if among is not None:
        waiting = waiting.filter(client_id__in=list(among))
    return sorted(waiting.order_by().values_list("client_id", flat=True).distinct())
