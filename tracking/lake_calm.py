"""Whether there is nothing to do in a bucket, known without asking it.

A look at the lake takes some requests for each customer. While no event has come and the cursor stands where
the last look of this process left it, there is no news; so it looks every minute only while parts wait to go.
Whoever else writes to the lake touches the cursor. What was done to the bucket by hand is seen after
:data:`LOOK_EVERY_SECONDS`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from tracking import lake_files
from tracking.models import Cursor

CURSOR = "lake"
LOOK_EVERY_SECONDS = 300.0


@dataclass
class Look:
    """What the last look found: place, newest event and cursor, when nothing was left to do."""

    found: tuple[Any, ...] = ()
    at: float = 0.0


last = Look()


def reigns(upto: int) -> bool:
    """Whether nothing has come since a look that left nothing to do. ``upto``: the newest settled event."""
    recently = time.monotonic() - last.at < LOOK_EVERY_SECONDS
    return recently and bool(last.found) and last.found == state(upto)


def looked(upto: int, *, waiting: bool) -> None:
    """A look has ended; ``waiting``: it left something to do. Looking at a folder costs nothing."""
    last.found = () if waiting or not upto or lake_files.in_folder() else state(upto)
    last.at = time.monotonic()


def stir() -> None:
    """Let every process look again. The caller holds the lock and is going to write."""
    Cursor.objects.filter(name=CURSOR).update(updated_at=timezone.now())


def state(upto: int) -> tuple[Any, ...]:
    cursor = Cursor.objects.filter(name=CURSOR).values_list("last_id", "updated_at").first()
    return (lake_files.address(), upto, cursor)
