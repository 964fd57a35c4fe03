"""What waits in the queue goes with the person it is about, and what can never be delivered in a week."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from django.dispatch import receiver

from cdp.profiles import identifiers, insights
from cdp.profiles.models import Account
from cdp.profiles.signals import erased
from cdp.tracking import message
from cdp.tracking.models import Message, Tally
from config.jobs.schedule import periodic
from config.sealing import Unsealable

Name = tuple[str, str]  # kind and digest
REFUSED_MICROSECONDS = 7 * 86_400_000_000
COUNTED = timedelta(days=400)
REFUSED = "tracking_refused"  # the insight


@receiver(erased)
def with_the_person(account: int, identifiers: Collection[Name], **_more: Any) -> None:
    """``account``: its key."""
    for found in Account.objects.filter(pk=account):
        forget(found, identifiers)


def forget(account: Account, names: Collection[Name]) -> int:
    """Remove the messages of who is called so; return how many."""
    wanted = set(names)
    gone = [
        row.pk
        for row in Message.objects.filter(account=account.number).iterator()
        if not wanted.isdisjoint(names_in(account, row))
    ]
    return Message.objects.filter(pk__in=gone).delete()[0]


def names_in(account: Account, row: Message) -> list[Name]:
    """None of a message that cannot be opened: nobody can read it."""
    try:
        call = message.opened(row)
    except Unsealable:
        return []
    told = ((identifiers.COOKIE, call.coid), (identifiers.USER, call.ruid))
    return [(kind, identifiers.digest(account.number, kind, text)) for kind, text in told if text]


@periodic("cdp.tracking_tidy", every=3600)
def tidy() -> None:
    """Remove what could not be delivered for a week, and old counts."""
    oldest = time.time_ns() // 1000 - REFUSED_MICROSECONDS
    refused = Message.objects.exclude(refused="")
    refused.filter(received__lt=oldest).delete()
    left = set(refused.values_list("account", "customer_id"))
    for one in insights.still_open().filter(code=REFUSED).select_related("account"):
        if (one.account.number, one.subject) not in left:
            insights.close(one.account, code=REFUSED, subject=one.subject)
    Tally.objects.filter(day__lt=datetime.now(UTC).date() - COUNTED).delete()
