"""How many events a visitor may send in a minute (reference `cdp.md` 6.2), counted by each process."""

from __future__ import annotations

import threading
from collections import Counter

from tracking.fields import BadEvent

MOST_A_MINUTE = 60
MINUTE = 60_000_000


class Visitors:
    """What was sent in the running minute; it is forgotten with the minute."""

    def __init__(self) -> None:
        self._minute = 0
        self._sent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def spend(self, events: Counter[str], *, now: int) -> None:
        """Count events by visitor. Raises :class:`BadEvent` 429, and counts none, when one has sent too many.

        The first request of a minute is taken whatever its size, or a full batch never would be.
        """
        with self._lock:
            if self._minute != now // MINUTE:
                self._minute, self._sent = now // MINUTE, Counter()
            if any(
                self._sent[who] and self._sent[who] + more > MOST_A_MINUTE for who, more in events.items()
            ):
                raise BadEvent(429, f"a visitor may send {MOST_A_MINUTE} events a minute; slow down")
            self._sent += events

    def forget(self) -> None:
        self._minute = 0


visitors = Visitors()
