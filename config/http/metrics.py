"""How other systems answer: one line of the log a minute for each host that was called."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

logger = logging.getLogger("personalization")

WINDOW_SECONDS = 60.0
MOST_HOSTS = 1_000  # addresses in notifications come from outside; what is beyond counts together
OTHERS = "other hosts"


@dataclass
class Figures:
    """What became of the calls for one purpose to one host."""

    calls: int = 0
    failed: int = 0  # no answer, or a status from 500 on
    seconds: float = 0.0
    longest: float = 0.0


_figures: dict[tuple[str, str], Figures] = {}
_began = 0.0
_lock = threading.Lock()


def note(purpose: str, host: str, *, status: int | str, seconds: float) -> None:
    """Count a call that has ended. ``status``: of the answer, or the kind of fault."""
    global _began
    now = time.monotonic()
    with _lock:
        due = {}
        if now - _began >= WINDOW_SECONDS:
            due = dict(_figures)
            _figures.clear()
            _began = now
        key = (purpose, host if len(_figures) < MOST_HOSTS else OTHERS)
        figures = _figures.setdefault(key, Figures())
        figures.calls += 1
        figures.failed += not isinstance(status, int) or status >= 500
        figures.seconds += seconds
        figures.longest = max(figures.longest, seconds)
    for (what, where), ended in due.items():
        logger.info(
            "%s: %s was called %d times, %d failed; %d ms on average, %d ms at most.",
            *(what, where, ended.calls, ended.failed),
            *(ended.seconds / ended.calls * 1e3, ended.longest * 1e3),
        )


def current() -> dict[tuple[str, str], Figures]:
    """(purpose, host) -> figures since the last line of the log."""
    with _lock:
        return dict(_figures)
