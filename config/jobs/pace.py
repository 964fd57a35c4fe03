"""How fast messages go to one receiver, so that it can breathe after an outage."""

from __future__ import annotations

import threading
import time
from collections import deque

PER_SECOND = 10  # calls to one receiver in any second, by this process
WINDOW_SECONDS = 1.0

_calls: dict[str, deque[float]] = {}
_lock = threading.Lock()


def wait(receiver: str) -> None:
    """Return when one more call to ``receiver`` keeps to the pace, and count it."""
    while (left := _left(receiver)) > 0:
        time.sleep(left)


def _left(receiver: str) -> float:
    """Seconds to wait; 0.0 counts the call."""
    with _lock:
        calls = _calls.setdefault(receiver, deque(maxlen=PER_SECOND))
        now = time.monotonic()
        if len(calls) == PER_SECOND and now - calls[0] < WINDOW_SECONDS:
            return WINDOW_SECONDS - (now - calls[0])
        calls.append(now)
        return 0.0
