"""Where queued work stands: how much waits, since when, and whether anybody works it off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone

from cdp.models import BulkItem
from cdp.webhook.failed import failed
from config.jobs.worker import last_beat

# A worker says that it lives every few seconds.
ALIVE = timedelta(minutes=1)
COMMAND = "python manage.py work"


@dataclass(frozen=True, kw_only=True)
class Worker:
    """``seen``: when last, None for never."""

    seen: datetime | None
    command: str = COMMAND

    @property
    def is_alive(self) -> bool:
        return self.seen is not None and timezone.now() - self.seen < ALIVE


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Rows of webhook requests: how many wait, since when the oldest does, how many failed."""

    count: int
    since: datetime | None
    failed: int


def worker() -> Worker:
    return Worker(seen=last_beat())


def waiting() -> Waiting:
    rows = BulkItem.objects.filter(status=BulkItem.Status.QUEUED)
    found = rows.aggregate(count=Count("pk"), since=Min("created_at"))
    return Waiting(count=found["count"], since=found["since"], failed=failed().count())
