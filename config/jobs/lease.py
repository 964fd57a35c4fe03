"""Claiming rows: one worker has a row until it settles it or its lease runs out."""

from __future__ import annotations

import os
import socket
import threading
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from django.db.models import Q, QuerySet
from django.utils import timezone

from config.jobs.models import State, Work

Row = TypeVar("Row", bound=Work)

LEASE = timedelta(seconds=60)
_START = uuid4().hex[:8]


def due(now: datetime | None = None) -> Q:
    """Rows that wait for a worker, or whose worker's lease has run out."""
    moment = now or timezone.now()
    return Q(state=State.QUEUED, run_after__lte=moment) | Q(state=State.RUNNING, lease_until__lt=moment)


def claim(rows: QuerySet[Row], *, lasting: timedelta = LEASE) -> Row | None:
    """Take the first of ``rows`` that is due, or whose worker's lease has run out.

    A conditional update instead of SKIP LOCKED: the same statement serves SQLite and PostgreSQL, and
    of two workers that chose the same row one changes nothing and goes on to the next.
    """
    now = timezone.now()
    ripe = due(now)
    candidates = rows.filter(ripe).order_by("run_after", "pk")
    for pk, attempts in candidates.values_list("pk", "attempts")[:10]:
        taken = rows.filter(ripe, pk=pk, attempts=attempts).update(
            state=State.RUNNING, attempts=attempts + 1, lease_owner=worker_name(), lease_until=now + lasting
        )
        if taken:
            return rows.get(pk=pk)
    return None


def mine(row: Row) -> QuerySet[Row]:
    """The row as long as this worker still has it; empty once it was cancelled or taken over."""
    held: QuerySet[Row] = type(row)._default_manager.filter(
        pk=row.pk, state=State.RUNNING, lease_owner=row.lease_owner, attempts=row.attempts
    )
    return held


def process_name() -> str:
    """Host and process; unique per start."""
    return f"{socket.gethostname()[:24]}-{os.getpid()}-{_START}-"


def worker_name() -> str:
    """Host, process and thread, so that a lease names its holder."""
    return f"{process_name()}{threading.get_native_id()}"
