"""What is bought again and again, and when it will be due: engine-protocol.md 5.5.

Times are seconds since 1970 in what callers see; events carry microseconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from personalization.server.items.revisions import Key
from tracking import queries
from tracking.queries import PastEvent

DAY = 86_400.0
SECOND = 1_000_000
SEGMENT_DAYS = 10.0  # what happened longer ago is no news of a segment
# Purchases so close together are one order.
ONE_ORDER = 3600.0
LEAST_PURCHASES = 2
LISTED = 200
KEPT_SECONDS = 5.0

_kept: dict[tuple[Any, ...], tuple[float, list[Key]]] = {}


def purchases(past: Iterable[PastEvent], *, since: float) -> dict[Key, list[tuple[float, int]]]:
    """By item the times and pieces of its purchases, the oldest first."""
    found: dict[Key, list[tuple[float, int]]] = {}
    for one in sorted(past, key=lambda event: event.ts):
        when = one.ts / SECOND
        if one.item_type and one.item_id and when >= since:
            times = found.setdefault((one.item_type, one.item_id), [])
            if times and when - times[-1][0] < ONE_ORDER:
                times[-1] = (times[-1][0], times[-1][1] + (one.quantity or 1))
            else:
                times.append((when, one.quantity or 1))
    return found


def due(past: Iterable[PastEvent], parameters: Mapping[str, Any], *, now: float) -> list[Key]:
    """What one user is about to buy again: from ``share`` of the usual interval after the last purchase on.

    The usual interval is the mean one. The item that is the most overdue comes first.
    """
    found = []
    for key, times in purchases(past, since=now - parameters["window_days"] * DAY).items():
        if len(times) < LEAST_PURCHASES:
            continue
        interval = (times[-1][0] - times[0][0]) / (len(times) - 1)
        waited = (now - times[-1][0]) / interval
        if interval >= parameters["least_days"] * DAY and waited >= parameters["share"]:
            found.append((waited, key))
    return [key for _waited, key in sorted(found, key=lambda pair: (-pair[0], pair[1]))]


def due_of_segment(customer_id: str, segment: int, parameters: Mapping[str, Any], *, now: float) -> list[Key]:
    """What members of a segment will need again soon, the nearest date first.

    A purchase lasts for its pieces over the mean demand per day; the next date is when the last one is used
    up. Shown from ``share`` of that time on.
    """
    since = now - parameters["window_days"] * DAY

    def read() -> list[Key]:
        past = queries.of_segment(customer_id, segment, event="buy", since=int(since * SECOND))
        return due_by_demand(past, share=parameters["share"], since=since, now=now)

    return kept((customer_id, segment, "due", *sorted(parameters.items())), read)


def due_by_demand(past: Iterable[PastEvent], *, share: float, since: float, now: float) -> list[Key]:
    found = []
    for key, times in purchases(past, since=since).items():
        if len(times) < LEAST_PURCHASES:
            continue
        # What was bought last is not used up yet.
        used = sum(pieces for _, pieces in times[:-1])
        per_day = used / ((times[-1][0] - times[0][0]) / DAY)
        last, pieces = times[-1]
        lasts = pieces / per_day * DAY
        if now >= last + share * lasts:
            found.append((abs(last + lasts - now), key))
    return [key for _distance, key in sorted(found)]


def newest_of_segment(customer_id: str, segment: int, event: str, *, since: float) -> list[Key]:
    """The items that members of a segment clicked or bought last, the newest first."""

    def read() -> list[Key]:
        past = queries.of_segment(customer_id, segment, event=event, since=int(since * SECOND))
        return distinct(past)[:LISTED]

    return kept((customer_id, segment, event), read)


def distinct(past: Sequence[PastEvent]) -> list[Key]:
    return list(dict.fromkeys((one.item_type, one.item_id) for one in past if one.item_type and one.item_id))


def kept(name: tuple[Any, ...], read: Any) -> list[Key]:
    """What ``read`` found at most :data:`KEPT_SECONDS` ago."""
    known = _kept.get(name)
    if known is None or time.monotonic() - known[0] >= KEPT_SECONDS:
        if len(_kept) > 1_000:  # segments come from requests; memory must not
            _kept.clear()
        known = _kept[name] = (time.monotonic(), read())
    return known[1]


def forget() -> None:
    """Read everything afresh."""
    _kept.clear()
