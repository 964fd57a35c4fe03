"""Telling the layers above what changed, at least once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from content.items.record import Announcement
from content.signals import ItemRef, NotNow, item_changed, item_removed

logger = logging.getLogger("personalization")

# News of a process that is still running is its own business for this long.
LEFT_BEHIND_AFTER = timedelta(seconds=15)
MAX_TRIES = 20


def put(*, changed: Sequence[ItemRef], removed: Sequence[ItemRef]) -> None:
    """Store the news in the current transaction and tell it after the commit."""
    if changed or removed:
        row = Announcement.objects.create(
            changed=[asdict(ref) for ref in changed], removed=[asdict(ref) for ref in removed]
        )
        transaction.on_commit(partial(tell, row.pk), robust=True)


def tell(pk: int) -> bool:
    """Send the signals of one announcement and forget it; False when a receiver failed."""
    row = Announcement.objects.filter(pk=pk).first()
    if row is None:
        return True
    try:
        if row.changed:
            item_changed.send(sender=Announcement, refs=[ItemRef(**ref) for ref in row.changed])
        if row.removed:
            item_removed.send(sender=Announcement, refs=[ItemRef(**ref) for ref in row.removed])
    except NotNow as reason:
        logger.error("Item news (%s) wait: %s", row, reason)
        return False
    except Exception:
        logger.exception("A receiver of item news failed (%s); they are told again later.", row)
        _keep_or_give_up(row)
        return False
    row.delete()
    return True


def tell_left_behind() -> int:
    """Tell what a crash or a failing receiver left; return how many announcements were told."""
    due = Announcement.objects.filter(created_at__lt=timezone.now() - LEFT_BEHIND_AFTER)
    return sum(tell(pk) for pk in list(due.order_by("pk").values_list("pk", flat=True)[:200]))


def _keep_or_give_up(row: Announcement) -> None:
    if row.tries + 1 >= MAX_TRIES:
        logger.error("Item news were given up after %s tries: %s. Run a full export.", MAX_TRIES, row)
        row.delete()
        return
    Announcement.objects.filter(pk=row.pk).update(tries=row.tries + 1)
