"""How much comes in, and what looks as if somebody had made a mistake.

Minutes are counted in full; suspicions look at the newest rows only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, F, Max, Min, QuerySet
from django.utils.translation import gettext

from config.customers.directory import directory
from tracking.debugger import Wanted, before_newest, fitting, plain, tables
from tracking.fields import MINOR_DIGITS
from tracking.models import Event, RefusedRequest

MINUTES = 30
MINUTE = 60_000_000  # microseconds
SAMPLE = 20_000
FEWEST = 20  # of a kind, before anything is suspected


@dataclass(frozen=True)
class Minute:
    """Requests of one minute."""

    begins: datetime
    stored: int
    refused: int

    @property
    def total(self) -> int:
        return self.stored + self.refused


def minutes(wanted: Wanted | None = None, *, now: int | None = None) -> list[Minute]:
    """The last :data:`MINUTES` minutes, the oldest first, those without requests included.

    ``now``: microseconds since 1970. Counted by the time of receipt, so that an import hides nothing.
    """
    current = (time.time_ns() // 1000 if now is None else now) // MINUTE
    shown = range(current - MINUTES + 1, current + 1)
    wanted = wanted or Wanted()
    asked = list(tables(wanted))
    return [
        Minute(
            datetime.fromtimestamp(minute * 60, UTC),
            received(Event, wanted, minute=minute) if Event in asked else 0,
            received(RefusedRequest, wanted, minute=minute) if RefusedRequest in asked else 0,
        )
        for minute in shown
    ]


def last_hour(*, now: int | None = None) -> tuple[int, int]:
    """How many events were stored and how many requests refused. ``now``: microseconds since 1970."""
    current = (time.time_ns() // 1000 if now is None else now) // MINUTE
    since = current - 59
    stored, refused = (
        received(model, Wanted(), minute=since, length=60) for model in (Event, RefusedRequest)
    )
    return stored, refused


def received(model: Any, wanted: Wanted, *, minute: int, length: int = 1) -> int:
    """How many rows came in ``minute`` (since 1970) or in ``length`` of them.

    Minute by minute: each is one piece of an index, in which rows are only counted. Grouping them by
    minute made SQLite sort a million rows, for a second.
    """
    rows = fitting(model.objects, wanted)
    if model is Event and not wanted.customer_id:
        rows = rows.filter(customer_id__in=[account.customer_id for account in directory.all()])
    return int(rows.filter(received__gte=minute * MINUTE, received__lt=(minute + length) * MINUTE).count())


def suspicions(customer_id: str) -> Iterator[str]:
    """What the newest events of a customer look like, where that is hardly meant (reference B6, 29)."""
    rows = Event.objects.filter(customer_id=customer_id, pk__gt=before_newest(Event, SAMPLE)).order_by()
    ratings = [rating or 0 for rating in rows.filter(event="rate").values_list("rating", flat=True)]
    if len(ratings) >= FEWEST and max(ratings) <= 10:
        yield gettext(
            "All of the last %(count)d ratings are 10 or less. "
            "Ratings go from 0 to 100; is this a scale of stars?"
        ) % {"count": len(ratings)}
    yield from suspicious_prices(rows)
    yield from suspicious_users(rows)
    if names_items_twice(rows):
        yield gettext("A bundle of rendered items names an item more than once; it was counted once.")


def suspicious_prices(rows: QuerySet[Event]) -> Iterator[str]:
    whole = [code for code, digits in MINOR_DIGITS.items() if digits == 0]
    for currency, price in rows.filter(currency__in=whole).values_list("currency", "price"):
        if price is not None and price != int(price):
            yield gettext(
                "A price of %(price)s %(currency)s has decimals, but %(currency)s has no smaller coin."
            ) % {"price": plain(price), "currency": currency}
            return
    buys = rows.filter(event="buy")
    count, priced = buys.count(), buys.filter(price__isnull=False).count()
    if count >= FEWEST and not priced:
        yield gettext("None of the last %(count)d purchases has a price (fullprice).") % {"count": count}


def names_items_twice(rows: QuerySet[Event]) -> bool:
    """Whether a bundle has fewer rows than places (reference B6, 35)."""
    bundles = rows.filter(event="rendered").values("user", "received", "request_uuid")
    counted = bundles.annotate(count=Count("pk"), last=Max("seq"), first=Min("pk"))
    short = counted.filter(last__gte=F("count")).values_list("first", flat=True)[:2]
    # The oldest row that is looked at may stand in the middle of its bundle.
    oldest = rows.aggregate(oldest=Min("pk"))["oldest"]
    return any(first != oldest for first in short)


def suspicious_users(rows: QuerySet[Event]) -> Iterator[str]:
    total = rows.count()
    if total < FEWEST:
        return
    nobody = rows.filter(user="").count()
    if nobody > total / 2:
        yield gettext(
            "%(share)d %% of the last %(total)d events are linked to nobody (not_defined, or no consent)."
        ) % {"share": round(100 * nobody / total), "total": total}
    busiest = rows.exclude(user="").values("user").annotate(count=Count("pk")).order_by("-count").first()
    if busiest and busiest["count"] > total / 2:
        yield gettext(
            "One user sent %(share)d %% of the last %(total)d events. Is the user id a constant?"
        ) % {"share": round(100 * busiest["count"] / total), "total": total}
