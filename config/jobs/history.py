"""Ended work is kept for a while, so that one can look up what happened, and then deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from config.jobs.models import OPEN_STATES, Job, Outbox
from config.jobs.schedule import periodic

# One statement holds SQLite's only write lock; a thousand rows take it for milliseconds.
BATCH = 1000


@periodic("jobs.history", every=3600)
def forget_old() -> None:
    """Delete jobs, their chunks and messages that ended ``LODESTAR_HISTORY_DAYS`` ago."""
    for model in (Job, Outbox):
        ended = model._default_manager.exclude(state__in=OPEN_STATES)
        delete(ended.filter(finished_at__lt=oldest_kept()))


def oldest_kept() -> datetime:
    """What ended before this moment goes."""
    return timezone.now() - timedelta(days=settings.HISTORY_DAYS)


def delete(rows: QuerySet[Any]) -> int:
    """Delete ``rows`` with what hangs on them, in batches; return how many they were."""
    count = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        count += len(keys)
    return count
