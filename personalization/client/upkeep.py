"""What the worker does for the connector from time to time."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from config.jobs import history
from config.jobs.schedule import periodic
from personalization.client import tokens
from personalization.client.export import files
from personalization.client.models import ExportRun


@periodic("connector_upkeep", every=3600)
def tidy() -> None:
    """Delete expired tokens, what killed exports left, old exports and their files (W-40)."""
    tokens.purge()
    files.sweep_temporary()
    remove_old_files()
    forget_old_runs()


def remove_old_files() -> int:
    """Delete the folders of exports that ended long ago, except each customer's newest; count them."""
    newest: set[str] = set()
    removed = 0
    ended = ExportRun.objects.filter(finished_at__isnull=False).order_by("-pk")
    for run in ended:
        if run.customer_id not in newest and run.phase == ExportRun.Phase.DONE:
            newest.add(run.customer_id)
        elif old(run) and files.absolute(run.folder).is_dir():
            files.remove_folder(run.folder)
            removed += 1
    return removed


def old(run: ExportRun) -> bool:
    """Whether the files of a run have been kept for ``LODESTAR_EXPORT_DAYS``."""
    keep = timedelta(days=settings.EXPORT_DAYS)
    return run.finished_at is not None and run.finished_at < timezone.now() - keep


def forget_old_runs() -> int:
    """Delete runs that ended ``LODESTAR_HISTORY_DAYS`` ago, with their files; count them.

    Kept are each customer's newest, which the doctor looks at, and its newest successful one.
    """
    ended = ExportRun.objects.filter(finished_at__isnull=False).order_by()
    newest = ended.values("customer_id").annotate(newest=Max("pk"))
    done = ended.filter(phase=ExportRun.Phase.DONE).values("customer_id").annotate(newest=Max("pk"))
    kept = {row["newest"] for row in (*newest, *done)}
    old_ones = ended.filter(finished_at__lt=history.oldest_kept()).exclude(pk__in=kept)
    for run in old_ones:
        files.remove_folder(run.folder)
    return history.delete(old_ones)
