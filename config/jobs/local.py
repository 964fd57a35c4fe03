"""Functions that every worker process calls for itself, at its start and regularly after it.

::

    @everywhere("tidy_cache", every=3600)
    def tidy() -> None: ...

They look after what a machine keeps for itself. What one worker does for all is in
:mod:`config.jobs.schedule`. The processes of a machine do not know of each other, so the functions must bear
being called twice at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from config.jobs.schedule import Entry, Periodical, call

_entries: dict[str, Entry] = {}
_due: dict[str, float] = {}  # name -> of the monotonic clock; what is missing is due
_choosing = threading.Lock()


def everywhere(name: str, *, every: float) -> Callable[[Periodical], Periodical]:
    """Register the decorated function to be called each ``every`` seconds by each worker process."""

    def register(function: Periodical) -> Periodical:
        _entries[name] = Entry(name, every, function)
        return function

    return register


def run_due() -> int:
    """Call what is due in this process; return how many. Errors are logged, the next turn comes."""
    with _choosing:
        now = time.monotonic()
        ripe = [entry for entry in _entries.values() if _due.get(entry.name, now) <= now]
        _due.update({entry.name: now + entry.every for entry in ripe})
    for entry in ripe:
        call(entry)
    return len(ripe)
