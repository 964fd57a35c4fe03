"""The import history has an end."""

from __future__ import annotations

from django.db.models import Max

from config.jobs import history
from config.jobs.schedule import periodic
from personalization.contracts import Action
from personalization.server.models import ImportRun


@periodic("engine.import_history", every=3600)
def forget_old() -> int:
    """Delete runs that ended ``LODESTAR_HISTORY_DAYS`` ago; return how many.

    Kept are the newest of each customer, the date of its items, and the newest full import of each type and
    language, which the doctor looks at.
    """
    ended = ImportRun.objects.filter(finished_at__isnull=False).order_by()
    newest = ended.values("customer_id").annotate(newest=Max("pk"))
    full = ended.filter(action=Action.FULL.value)
    newest_full = full.values("customer_id", "item_type", "language").annotate(newest=Max("pk"))
    kept = {row["newest"] for row in (*newest, *newest_full)}
    return history.delete(ended.filter(finished_at__lt=history.oldest_kept()).exclude(pk__in=kept))
