"""Events go when their time is over: rows in small batches, parts of the lake whole or written anew.

How long each event is kept stands in the account of its customer (`tracking.retention` of the sites file,
`LODESTAR_RETENTION_DAYS`). Days end at midnight UTC, so that a part of the lake, which is a day, is touched
once for each event code and goes as a whole where all codes are kept equally long.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q
from django.utils import timezone

from config.customers.directory import directory
from tracking import lake, lake_rewrite
from tracking.lake_faults import reaching
from tracking.lake_rewrite import Change, LakeBusy, quoted
from tracking.models import Cursor, Event, IdentityEdge
from tracking.people.tables import PAUSE_SECONDS, delete

logger = logging.getLogger("tracking")

CURSOR = "retention"
ROWS = 5_000  # looked at in one statement; some ten milliseconds
PASS_EVERY = timedelta(hours=20)
# What is left follows in the next turn; the worker's other periodic functions wait meanwhile.
LONGEST_SECONDS = 300.0
LAKE_PATIENCE = 5.0
DEFAULT = "default"

Rules = dict[str, Mapping[str, int]]  # customer id -> event code or "default" -> days


def forget_old() -> int:
    """One turn: go on with the pass through the rows, and end it with the lake. Returns how much went."""
    rules: Rules = {account.customer_id: account.retention for account in directory.all()}
    if not settings.RETENTION and not any(rules.values()):
        return 0
    cursor, is_new = Cursor.objects.get_or_create(name=CURSOR)
    if not is_new and cursor.last_id == 0 and timezone.now() - cursor.updated_at < PASS_EVERY:
        return 0
    deadline = time.monotonic() + LONGEST_SECONDS
    gone = 0
    for number, last_id in forget_rows(rules, after=cursor.last_id):
        gone += number
        cursor.last_id = last_id
        cursor.save()
        if time.monotonic() > deadline:
            return gone
    gone += forget_logins(rules) + forget_parts(rules)
    cursor.last_id = 0
    cursor.save()
    return gone


def forget_rows(rules: Rules, *, after: int) -> Iterator[tuple[int, int]]:
    """How many of the next rows went, and up to which id that was, until there are no more.

    By id, since an index on the time it happened would cost every event: old rows may stand anywhere after an
    import, so that it would not grow at one end.
    """
    old = expired(rules)
    while True:
        part = Event.objects.filter(pk__gt=after).order_by("pk")[:ROWS]
        last_id = part.aggregate(last=Max("pk"))["last"]
        if last_id is None:
            return
        yield Event.objects.filter(old, pk__gt=after, pk__lte=last_id).delete()[0], last_id
        after = last_id
        time.sleep(PAUSE_SECONDS)


def expired(rules: Rules) -> Q:
    """The events whose time is over, of customers who are no longer configured too."""
    old = ~Q(customer_id__in=list(rules)) & expired_of(settings.RETENTION)
    for customer_id, days in rules.items():
        old |= Q(customer_id=customer_id) & expired_of(days)
    return old


def expired_of(days: Mapping[str, int]) -> Q:
    old = Q(pk__in=[])
    for code, before in limits(days).items():
        named = Q(event=code) if code != DEFAULT else ~Q(event__in=[one for one in days if one != DEFAULT])
        old |= named & Q(ts__lt=before)
    return old


def limits(days: Mapping[str, int]) -> dict[str, int]:
    """Event code (or "default") -> microseconds before which its events go."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        code: int((midnight - timedelta(days=kept)).timestamp()) * 1_000_000 for code, kept in days.items()
    }


def forget_logins(rules: Rules) -> int:
    """Remove the edges that no event can need any more: older than the longest time of their customer."""
    customers = IdentityEdge.objects.order_by().values_list("customer_id", flat=True).distinct()
    gone = 0
    for customer_id in list(customers):
        days = rules.get(customer_id, settings.RETENTION)
        if DEFAULT in days:
            before = min(limits(days).values())
            gone += delete(IdentityEdge.objects.filter(customer_id=customer_id, ts__lt=before))
    return gone


def forget_parts(rules: Rules) -> int:
    """The same for the lake. When somebody else writes to it, it is left for the next pass."""
    gone = 0
    with reaching(lost="Old events stay in the lake for now"):
        customers = lake.customers()
    for customer_id in customers:
        days = rules.get(customer_id, settings.RETENTION)
        if not days:
            continue
        try:
            with lake_rewrite.locked(patience=LAKE_PATIENCE):
                gone += lake_rewrite.rewrite(customer_id, Change(drop=in_sql(days)), at_once=False)
        except LakeBusy as reason:
            logger.warning("Old events of customer %s stay in the lake for now: %s", customer_id, reason)
    return gone


def in_sql(days: Mapping[str, int]) -> str:
    named = ", ".join(quoted(code) for code in days if code != DEFAULT)
    other = f"event NOT IN ({named})" if named else "true"
    return " OR ".join(
        f"({other if code == DEFAULT else f'event = {quoted(code)}'} AND ts < {before})"
        for code, before in limits(days).items()
    )
