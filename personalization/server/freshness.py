"""When a customer's items last changed, for Last-Modified."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from personalization.server.models import ImportRun

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
# As long as scenarios and the catalogue in memory may be behind.
KEPT_SECONDS = 1.0

_kept: dict[str, tuple[float, datetime]] = {}


def items_changed_at(customer_id: str) -> datetime:
    """End of the newest finished import, at most a second ago; removals count as much as new items."""
    now = time.monotonic()
    kept = _kept.get(customer_id)
    if kept is None or now - kept[0] >= KEPT_SECONDS:
        kept = _kept[customer_id] = (now, read(customer_id))
    return kept[1]


def forget() -> None:
    """Read every date afresh."""
    _kept.clear()


def read(customer_id: str) -> datetime:
    newest = (
        ImportRun.objects.filter(customer_id=customer_id, finished_at__isnull=False)
        .order_by("-id")
        .values_list("finished_at", flat=True)
        .first()
    )
    return newest or NEVER
