"""Claiming rows: one worker has a row until it settles it or its lease runs out."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from config.jobs.models import State, Work

logger = logging.getLogger("personalization")

Row = TypeVar("Row", bound=Work)

LEASE = timedelta(seconds=60)
RENEW_SECONDS = 20.0
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


def claim_many(rows: QuerySet[Row], most: int, *, lasting: timedelta = LEASE) -> list[Row]:
    """Take up to ``most`` of ``rows`` that are due, in three statements; ``rows`` must not look at states."""
    now, owner = timezone.now(), worker_name()
    candidates = rows.filter(due(now)).order_by("run_after", "pk").values_list("pk", flat=True)
    chosen = list(candidates[:most])
    until = now + lasting
    # Those that another worker took meanwhile are not due any more, and keep its name.
    rows.filter(due(now), pk__in=chosen).update(
        state=State.RUNNING, attempts=F("attempts") + 1, lease_owner=owner, lease_until=until
    )
    taken = rows.filter(pk__in=chosen, state=State.RUNNING, lease_owner=owner, lease_until=until)
    return list(taken.order_by("run_after", "pk"))


def mine(row: Row) -> QuerySet[Row]:
    """The row as long as this worker still has it; empty once it was cancelled or taken over."""
    held: QuerySet[Row] = type(row)._default_manager.filter(
        pk=row.pk, state=State.RUNNING, lease_owner=row.lease_owner, attempts=row.attempts
    )
    return held


def extend(rows: Sequence[Row], *, lasting: timedelta) -> None:
    """Let the leases that this worker still has on rows of one model last anew."""
    if rows:
        held = type(rows[0])._default_manager.filter(
            pk__in=[row.pk for row in rows], state=State.RUNNING, lease_owner=worker_name()
        )
        held.update(lease_until=timezone.now() + lasting)


def end() -> datetime:
    """When a lease that is taken or renewed now runs out."""
    return timezone.now() + LEASE


@contextmanager
def kept(renew: Callable[[], object], *, what: str) -> Iterator[None]:
    """Call ``renew`` from a thread every :data:`RENEW_SECONDS` while the block runs.

    So a lease can be short, and what a killed worker held is free soon, however long the work takes.
    """
    if settings.JOBS_INLINE:
        # Inline work shares the caller's transaction; a second connection would wait for it.
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=renew_until, args=(stop, renew, what), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def renew_until(stop: threading.Event, renew: Callable[[], object], what: str) -> None:
    while not stop.wait(RENEW_SECONDS):
        try:
            renew()
        except Exception:  # noqa: BLE001 - the next turn tries again before the lease ends
            logger.warning("Could not renew the lease of %s.", what)
    connection.close()


def process_name() -> str:
    """Host and process; unique per start."""
    return f"{socket.gethostname()[:24]}-{os.getpid()}-{_START}-"


def worker_name() -> str:
    """Host, process and thread, so that a lease names its holder."""
    return f"{process_name()}{threading.get_native_id()}"
