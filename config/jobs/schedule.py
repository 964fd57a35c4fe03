"""Functions the worker calls regularly: sweeps, dirty rows, lake, builds.

::

    @periodic("sweep_dirty_items", every=5)
    def sweep() -> None: ...

A row per function says when it is due and who runs it, so several workers share the work and no
function runs twice at once: its lease is renewed while it runs, and what a killed worker ran is free a
minute later. A missed turn is made up once, not for every interval missed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.faults import Fault
from config.jobs import lease
from config.jobs.models import Periodic

logger = logging.getLogger("personalization")

Periodical = Callable[[], object]


@dataclass(frozen=True)
class Entry:
    name: str
    every: float
    function: Periodical


_entries: dict[str, Entry] = {}


def periodic(name: str, *, every: float) -> Callable[[Periodical], Periodical]:
    """Register the decorated function to be called each ``every`` seconds by one worker."""

    def register(function: Periodical) -> Periodical:
        _entries[name] = Entry(name, every, function)
        return function

    return register


def run_due() -> int:
    """Call every function whose time has come and that no other worker runs; return how many."""
    due_at = dict(Periodic.objects.values_list("name", "due_at"))
    now = timezone.now()
    ripe = [entry for entry in list(_entries.values()) if due_at.get(entry.name, now) <= now]
    return sum(run(entry) for entry in ripe)


def run(entry: Entry) -> bool:
    """Call one function if it is due and free. Its errors are logged, its next turn comes."""
    owner = f"{lease.worker_name()}-{entry.name}"[:96]
    if not claim(entry, owner):
        return False
    held = Periodic.objects.filter(name=entry.name, lease_owner=owner)
    with lease.kept(lambda: held.update(lease_until=lease.end()), what=entry.name):
        error = call(entry)
    release(entry, owner, error=error)
    return True


def call(entry: Entry) -> str:
    """Call the function; return what went wrong, "" where nothing did."""
    try:
        entry.function()
    except Fault as fault:
        logger.error("The periodic function %s failed: %s", entry.name, fault)
        return str(fault)
    except Exception as raised:  # any fault of one function must not stop the others
        logger.exception("The periodic function %s failed.", entry.name)
        return f"{type(raised).__name__}: {raised}"
    return ""


def claim(entry: Entry, owner: str) -> bool:
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    if Periodic.objects.filter(free, name=entry.name, due_at__lte=now).update(
        lease_owner=owner, lease_until=lease.end(), due_at=now + timedelta(seconds=entry.every)
    ):
        return True
    if Periodic.objects.filter(name=entry.name).exists():
        return False
    try:
        with transaction.atomic():
            Periodic.objects.create(
                name=entry.name,
                lease_owner=owner,
                lease_until=lease.end(),
                due_at=now + timedelta(seconds=entry.every),
            )
    except IntegrityError:  # another worker met it for the first time too
        return False
    return True


def release(entry: Entry, owner: str, *, error: str) -> None:
    Periodic.objects.filter(name=entry.name, lease_owner=owner).update(
        lease_owner="", lease_until=None, last_run=timezone.now(), error=error
    )
