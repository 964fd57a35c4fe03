"""The tables of the events database as places: events, and the logins that join them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import Q, QuerySet

from tracking import identity
from tracking.collector.rows import OF_PERSON
from tracking.models import Event, IdentityEdge
from tracking.people.spans import Span
from tracking.rotation import rekey
from tracking.rotation.ranges import within

BATCH = 2_000  # some ten milliseconds in which others wait to write
PAUSE_SECONDS = 0.01
EVENT_FIELDS = [field.name for field in Event._meta.fields]
EDGE_FIELDS = ["source", "target", "ts"]


class Events:
    name = "events"

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        for span in spans:
            yield from events_of(span).order_by("ts", "id").values(*EVENT_FIELDS).iterator(BATCH)

    def outdated(self, customer_id: str) -> int:
        return within(Event, customer_id, "user", identity.outdated()).count()

    def rekey(self, customer_id: str) -> Iterator[int]:
        overwrite_deleted()
        yield from rekey.users(customer_id)

    def erase(self, spans: Sequence[Span], *, at: int) -> int:
        overwrite_deleted()
        erased = 0
        for span in spans:
            erased += delete(events_of(span).filter(received__lte=at))
            # Accepted before the tombstone was seen: an event like that counts, for nobody.
            late = events_of(span).filter(received__gt=at, ts__lte=at)
            erased += late.update(**dict.fromkeys(OF_PERSON, ""))
        return erased


class Logins:
    name = "logins"

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        seen: set[int] = set()  # an edge has two ends, and both may be this person
        for span in spans:
            for row in edges_of(span).order_by("ts", "id").values("id", *EDGE_FIELDS).iterator(BATCH):
                if row["id"] not in seen:
                    yield row
                seen.add(row["id"])

    def outdated(self, customer_id: str) -> int:
        return rekey.outdated_logins(customer_id).count()

    def rekey(self, customer_id: str) -> Iterator[int]:
        yield from rekey.copy_logins(customer_id)

    def erase(self, spans: Sequence[Span], *, at: int) -> int:
        overwrite_deleted()
        return sum(delete(edges_of(span).filter(ts__lte=at)) for span in spans)


def events_of(span: Span) -> QuerySet[Event]:
    return Event.objects.filter(
        customer_id=span.customer_id, user=span.user, ts__gt=span.after, ts__lte=span.until
    )


def edges_of(span: Span) -> QuerySet[IdentityEdge]:
    ends = Q(source=span.user) | Q(target=span.user)
    return IdentityEdge.objects.filter(
        ends, customer_id=span.customer_id, ts__gt=span.after, ts__lte=span.until
    )


def delete(rows: QuerySet[Any]) -> int:
    """Delete in batches, so that nobody who writes to the same file waits for long."""
    total = 0
    while numbers := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        total += rows.model._default_manager.filter(pk__in=numbers).delete()[0]
        time.sleep(PAUSE_SECONDS)
    return total


def overwrite_deleted() -> None:
    """SQLite would else leave the bytes in its file until their place is needed."""
    connection = connections[settings.EVENTS_DB]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
