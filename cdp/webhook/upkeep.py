"""What is done now and then for the items that wait and for those that are settled."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Min
from django.utils import timezone

from cdp.models import BulkBatch, BulkItem, LastChange, WebhookRequest
from cdp.webhook import queue
from cdp.webhook.failed import failed
from config.jobs import schedule
from config.jobs.models import OPEN_STATES, Job

SWEEP_SECONDS = 5.0
KEPT, KEPT_FAILED = timedelta(days=7), timedelta(days=90)
# The worker needs seconds; after this long there is none.
LONGEST_WAIT = timedelta(minutes=15)


def waiting_since() -> datetime | None:
    """The arrival of the oldest item that waits, or None."""
    waiting = BulkItem.objects.filter(status=BulkItem.Status.QUEUED)
    oldest: datetime | None = waiting.aggregate(oldest=Min("created_at"))["oldest"]
    return oldest


@schedule.periodic("cdp.webhook_sweep", every=SWEEP_SECONDS)
def sweep() -> None:
    """Make the jobs that a crash, or a lost table of jobs, left unmade."""
    open_for = set(
        Job.objects.filter(kind=queue.JOB, state__in=OPEN_STATES).values_list("payload__client_id", flat=True)
    )
    for client_id in queue.clients_waiting():
        if client_id not in open_for:
            queue.enqueue(client_id)


@schedule.periodic("cdp.webhook_purge", every=3600.0)
def purge() -> None:
    """Forget what is settled, with the answers that repetitions would get."""
    now = timezone.now()
    old = BulkBatch.objects.filter(received_at__lt=now - KEPT, finished_at__isnull=False)
    old.exclude(pk__in=failed().order_by().values("batch")).delete()
    BulkBatch.objects.filter(received_at__lt=now - KEPT_FAILED, finished_at__isnull=False).delete()
    WebhookRequest.objects.filter(received_at__lt=now - KEPT_FAILED).delete()
    LastChange.objects.filter(changed_at__lt=now - KEPT_FAILED).delete()
