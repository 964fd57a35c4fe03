"""Bringing the rows of the events database into the form of today, in batches.

Each batch is a transaction, and what is stored says its generation: so whoever is killed goes on where they
were, and no row is re-keyed twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.models import Q, QuerySet

from tracking import identity
from tracking.models import Event, IdentityEdge, Tombstone
from tracking.rotation.ranges import within

BATCH = 2_000  # some ten milliseconds in which others wait to write
PAUSE_SECONDS = 0.01


def users(customer_id: str) -> Iterator[int]:
    """Re-key the events of a customer, user after user in the order of the index."""
    low, high = identity.outdated()
    while batch := outdated_events(customer_id, low, high):
        yield rekey_events(customer_id, batch)
        low = batch[-1][1]
        time.sleep(PAUSE_SECONDS)


def outdated_events(customer_id: str, low: str, high: str) -> list[tuple[int, str]]:
    rows = within(Event, customer_id, "user", (low, high)).order_by("user")
    return list(rows.values_list("pk", "user")[:BATCH])


def rekey_events(customer_id: str, batch: Sequence[tuple[int, str]]) -> int:
    """Return how many rows were changed: somebody may have removed some of them meanwhile."""
    forms = {old: identity.newest(customer_id, old) for old in {old for _pk, old in batch}}
    marks = ", ".join(["(%s, %s, %s)"] * len(batch))
    sql = f"""
        UPDATE tracking_event SET "user" = renewed.column3 FROM (VALUES {marks}) AS renewed
        WHERE tracking_event.id = renewed.column1 AND tracking_event."user" = renewed.column2
    """  # noqa: S608 - places for values only
    return execute(sql, chain.from_iterable((pk, old, forms[old]) for pk, old in batch))


def outdated_logins(customer_id: str) -> QuerySet[IdentityEdge]:
    low, high = identity.outdated()
    ends = Q(source__gte=low, source__lt=high) | Q(target__gte=low, target__lt=high)
    return IdentityEdge.objects.filter(ends, customer_id=customer_id)


def copy_logins(customer_id: str) -> Iterator[int]:
    """Write each login in the form of today beside the old one; yield how many were not there yet.

    The old ones stay until everything else is done: what a device did under its old form is found by them.
    """
    last = 0
    rows = outdated_logins(customer_id).order_by("pk").values_list("pk", "source", "target", "ts")
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield insert_logins(customer_id, [row[1:] for row in batch])
        last = batch[-1][0]
        time.sleep(PAUSE_SECONDS)


def insert_logins(customer_id: str, edges: Sequence[tuple[str, str, int]]) -> int:
    marks = ", ".join(["(%s, %s, %s, %s)"] * len(edges))
    sql = f"""
        INSERT INTO tracking_identityedge (customer_id, source, target, ts) VALUES {marks}
        ON CONFLICT (customer_id, source, target, ts) DO NOTHING
    """  # noqa: S608 - places for values only
    newest = identity.newest
    return execute(
        sql,
        chain.from_iterable(
            (customer_id, newest(customer_id, source), newest(customer_id, target), ts)
            for source, target, ts in edges
        ),
    )


def outdated_tombstones(customer_id: str) -> QuerySet[Tombstone]:
    return within(Tombstone, customer_id, "user", identity.outdated())


def rekey_tombstones(customer_id: str) -> int:
    rows = list(outdated_tombstones(customer_id))
    for row in rows:
        with transaction.atomic(using=settings.EVENTS_DB):
            user = identity.newest(customer_id, row.user)
            twins = Tombstone.objects.filter(
                erasure_id=row.erasure_id, user=user, after=row.after, until=row.until
            )
            if twins.exists():
                row.delete()
            else:
                Tombstone.objects.filter(pk=row.pk).update(user=user)
    return len(rows)


def execute(sql: str, values: Any) -> int:
    """Run one statement as a transaction; return how many rows it concerned."""
    with transaction.atomic(using=settings.EVENTS_DB), connections[settings.EVENTS_DB].cursor() as cursor:
        cursor.execute(sql, list(values))
        return int(cursor.rowcount)
