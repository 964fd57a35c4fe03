"""Refused requests of the last day, equal mistakes together: what is wrong, how often, and what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from tracking import mistakes
from tracking.debugger import Wanted, fitting
from tracking.mistakes import Told
from tracking.models import RefusedRequest

HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR


@dataclass(kw_only=True)
class Group:
    """Equal mistakes of one customer. What is kept of a surge is bounded, so counts may be too low."""

    customer_id: str
    told: Told
    hour: int = 0
    day: int = 0
    newest: int = 0  # microseconds since 1970

    @property
    def last(self) -> datetime:
        return datetime.fromtimestamp(self.newest / 1e6, UTC)

    def add(self, row: dict[str, Any]) -> None:
        self.hour += row["hour"]
        self.day += row["day"]
        self.newest = max(self.newest, row["newest"])


def groups(wanted: Wanted, *, now: int | None = None) -> list[Group]:
    """What is most frequent comes first. ``now``: microseconds since 1970."""
    if wanted.users:  # a refused request has no user
        return []
    now = time.time_ns() // 1000 if now is None else now
    rows = fitting(RefusedRequest.objects.filter(received__gt=now - DAY), wanted)
    found: dict[tuple[str, Told], Group] = {}
    for row in counted(rows, since=now - HOUR):
        told = mistakes.told(row["message"])
        key = row["customer_id"], told
        found.setdefault(key, Group(customer_id=row["customer_id"], told=told)).add(row)
    return sorted(found.values(), key=lambda one: (-one.hour, -one.day, -one.newest))


def counted(rows: QuerySet[RefusedRequest], *, since: int) -> Iterator[dict[str, Any]]:
    """One row for each wording; there are at most ten thousand requests to look at."""
    alike: QuerySet[Any] = rows.order_by().values("customer_id", "message")
    hour = Count("pk", filter=Q(received__gt=since))
    yield from alike.annotate(day=Count("pk"), hour=hour, newest=Max("received"))
