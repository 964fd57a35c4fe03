"""A worker for what the webhook stored and nothing else (reference `cdp.md` 5.3)."""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass

from django.db import close_old_connections

from cdp.webhook import queue

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a worker ends by itself. ``items``: at most so many; ``seconds`` and ``bytes``: after the step in
    which they are passed. None is no limit."""

    items: int | None = None
    seconds: float | None = None
    bytes: int | None = None


def work(
    stop: threading.Event, *, clients: Collection[str] | None, batch_size: int, sleep: float, limits: Limits
) -> int:
    """Apply what waits until ``stop`` is set or a limit is passed; return how many items.

    ``clients``: only for these activations; ``sleep``: seconds to wait while nothing is due.
    """
    began, done = time.monotonic(), 0
    while not stop.is_set():
        left = batch_size if limits.items is None else min(batch_size, limits.items - done)
        count = once(clients=clients, most=left)
        done += count
        if is_over(limits, done=done, seconds=time.monotonic() - began):
            break
        if not count:
            close_old_connections()
            stop.wait(sleep)
    return done


def once(*, clients: Collection[str] | None, most: int) -> int:
    """Apply at most so many items, of one activation after the other; return how many."""
    done = 0
    for client_id in queue.clients_waiting(clients):
        if done < most:
            done += queue.step(client_id, most=most - done)
    return done


def is_over(limits: Limits, *, done: int, seconds: float) -> bool:
    return (
        (limits.items is not None and done >= limits.items)
        or (limits.seconds is not None and seconds >= limits.seconds)
        or (limits.bytes is not None and largest_size() >= limits.bytes)
    )


def largest_size() -> int:
    """The most memory that this process has had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
