"""What the people in charge of an account should look at; one row for each matter, however often it comes."""

from __future__ import annotations

import logging

from django.db.models import F
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


def close(account: Account, *, code: str, subject: str) -> bool:
    """The matter is settled; whether it was open. It opens again when it is reported again."""
    rows = Insight.objects.filter(account=account, code=code, subject=subject[:120], closed_at=None)
    return bool(rows.update(closed_at=timezone.now()))
