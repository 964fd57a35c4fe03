"""A host that keeps failing is left alone for a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from config.http.answer import Unreachable

FAILURES = 5
OPEN_SECONDS = 30.0


@dataclass
class State:
    failures: int = 0
    open_until: float = 0.0
    seconds: float = OPEN_SECONDS


_states: dict[str, State] = {}
_lock = threading.Lock()


def before(key: str) -> None:
    """Raise :class:`Unreachable` while the host is left alone; after that let one call probe it."""
    with _lock:
        state = _states.get(key)
        if state is None or state.failures < FAILURES:
            return
        left = state.open_until - time.monotonic()
        if left > 0:
            raise Unreachable(
                f"{key} failed {state.failures} times in a row and is not called for another {left:.0f} s."
            )
        state.open_until = time.monotonic() + state.seconds


def after(key: str, *, good: bool, seconds: float = OPEN_SECONDS) -> None:
    """Note how a call ended. 5xx and every missing answer count as failures.

    ``seconds``: for how long who keeps failing is left alone.
    """
    with _lock:
        if good:
            _states.pop(key, None)
            return
        state = _states.setdefault(key, State())
        state.failures += 1
        state.seconds = seconds
        if state.failures >= FAILURES:
            state.open_until = time.monotonic() + seconds


def reset() -> None:
    """Forget every failure."""
    with _lock:
        _states.clear()
