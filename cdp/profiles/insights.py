"""What the people in charge of an account should look at; one row for each matter, however often it comes."""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.db.models import F, QuerySet
from django.utils import timezone

from cdp.profiles.models import Account, Insight

logger = logging.getLogger("cdp")


def report(account: Account, *, code: str, subject: str, message: str) -> Insight:
    """Note a matter. ``subject``: what it is about, within the code; neither holds a person's name."""
    row, is_new = Insight.objects.get_or_create(
        account=account, code=code, subject=subject[:120], defaults={"message": message[:500]}
    )
    if not is_new:
        Insight.objects.filter(pk=row.pk).update(
            message=message[:500], count=F("count") + 1, last_seen=timezone.now(), closed_at=None
        )
        row.refresh_from_db()
    logger.warning("account %s: %s: %s", account.number, code, message)
    return row


def still_open() -> QuerySet[Insight]:
    return Insight.objects.filter(closed_at=None)


def close(account: Account, *, code: str | Collection[str], subject: str) -> bool:
    """The matter is settled, or those of several codes; whether any was open.

    It opens again when it is reported again.
    """
    codes = [code] if isinstance(code, str) else list(code)
    rows = still_open().filter(account=account, code__in=codes, subject=subject[:120])
    return bool(rows.update(closed_at=timezone.now()))


def settle(insight: Insight) -> bool:
    """Somebody says by hand that it is settled; False where it was closed already."""
    return bool(still_open().filter(pk=insight.pk).update(closed_at=timezone.now()))
