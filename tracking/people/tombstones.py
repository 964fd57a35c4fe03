"""Keeping erased what was erased: copies of old events may come again, from a replay, an import or a retry.

A tombstone remembers a pseudonym for as long as copies may be under way. Whatever happened before the erasure
is accepted again, as of nobody. Checked where past events are written and where the lake is fed; what was on
its way at the moment of the erasure is swept up by the worker. Rows and tombstones may be of different
generations while keys are rotated; they are compared in the form of today.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from tracking.collector.rows import EdgeRow, EventRow, unlinked
from tracking.identity import newest, onward, outdated
from tracking.models import Tombstone
from tracking.people.spans import Span

LOOKED_UP = 500  # parameters of a query
Buried = dict[tuple[str, str], list[tuple[int, int, int]]]


def apply(rows: Sequence[EventRow], edges: Sequence[EdgeRow]) -> tuple[Sequence[EventRow], Sequence[EdgeRow]]:
    """Past events and logins as they may be stored. Live ones, the rule, cost a look at two numbers each."""
    past = {(row.customer_id, row.user) for row in rows if row.ts != row.received and row.user}
    if not past:
        return rows, edges
    ends = {(edge.customer_id, end) for edge in edges for end in (edge.source, edge.target)}
    buried = lookup(past | ends)
    if not buried:
        return rows, edges
    kept = [
        unlinked(row)
        if row.ts < row.received and is_buried(buried, row.customer_id, row.user, row.ts)
        else row
        for row in rows
    ]
    return kept, [edge for edge in edges if not joins_buried(buried, edge)]


def joins_buried(buried: Buried, edge: EdgeRow) -> bool:
    return any(is_buried(buried, edge.customer_id, end, edge.ts) for end in (edge.source, edge.target))


def is_buried(buried: Buried, customer_id: str, user: str, ts: int) -> bool:
    spans = buried.get((customer_id, newest(customer_id, user)), ())
    return any(after < ts <= min(until, at) for after, until, at in spans)


def lookup(people: set[tuple[str, str]]) -> Buried:
    """The tombstones of these (customer, pseudonym) pairs."""
    users = sorted({newest(*one) for one in people})
    found = by_person(living_outdated())
    for start in range(0, len(users), LOOKED_UP):
        for person, spans in by_person(living().filter(user__in=users[start : start + LOOKED_UP])).items():
            found[person] += spans
    return found


def by_person(rows: Any) -> Buried:
    found: Buried = defaultdict(list)
    for customer_id, user, *span in rows.values_list(*COLUMNS):
        found[customer_id, newest(customer_id, user)].append(tuple(span))
    return found


def close() -> None:
    """Let go of this thread's connection, broken or not; only looking past events up has opened it."""
    with suppress(DatabaseError):
        connections[settings.EVENTS_DB].close()


def everybody() -> Buried:
    return by_person(living())


COLUMNS = ("customer_id", "user", "after", "until", "erasure__erased_at")


def living() -> Any:
    return Tombstone.objects.filter(expires_at__gt=timezone.now())


def living_outdated() -> Any:
    """Those of an older generation; without a question where there is only one key."""
    low, high = outdated()
    return living().filter(user__gte=low, user__lt=high) if low != high else Tombstone.objects.none()


def spans_of(erasure_id: int) -> tuple[Span, ...]:
    rows = Tombstone.objects.filter(erasure_id=erasure_id).order_by("pk")
    return tuple(
        Span(customer_id, form, *span)
        for customer_id, user, *span in rows.values_list("customer_id", "user", "after", "until")
        for form in onward(customer_id, user)
    )
