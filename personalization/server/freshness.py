"""When a customer's items last changed, for Last-Modified."""

from __future__ import annotations

from datetime import UTC, datetime

from personalization.server.models import ImportRun

NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def items_changed_at(customer_id: str) -> datetime:
    """End of the newest finished import; removals change answers as much as new items do."""
    newest = (
        ImportRun.objects.filter(customer_id=customer_id, finished_at__isnull=False)
        .order_by("-id")
        .values_list("finished_at", flat=True)
        .first()
    )
    return newest or NEVER
