"""What the lists of one page read of its visitor once: a page asks its own engine in its own thread.

Kept from the beginning of a request to its end, so that the next request sees what was done meanwhile.
"""

from __future__ import annotations

import threading
from typing import Any

from tracking.queries import PastEvent, Read

Past = dict[Read, list[PastEvent]]


class Here(threading.local):
    """Of this thread; None outside of requests."""

    past: dict[tuple[str, tuple[str, ...]], Past] | None = None


here = Here()


def begin(**_signal: Any) -> None:
    """Receiver of ``request_started``."""
    here.past = {}


def end(**_signal: Any) -> None:
    """Receiver of ``request_finished``."""
    here.past = None


def of_user(customer_id: str, users: tuple[str, ...]) -> Past:
    """What was read of a user for this page, to be added to."""
    return {} if here.past is None else here.past.setdefault((customer_id, users), {})
