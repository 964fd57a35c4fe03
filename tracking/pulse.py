"""How much comes in, and what looks as if somebody had made a mistake.

Like the debugger, this looks at the newest rows only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext

from tracking.debugger import WINDOW, newest_of, plain
from tracking.fields import MINOR_DIGITS
from tracking.models import Event, RefusedRequest

MINUTES = 30
MINUTE = 60_000_000  # microseconds
SAMPLE = 20_000
FEWEST = 20  # of a kind, before anything is suspected


@dataclass(frozen=True)
class Minute:
    """Requests of one minute. ``share``: of the busiest minute shown, in percent."""

    begins: datetime
    stored: int
    refused: int
    share: int

    @property
    def total(self) -> int:
        return self.stored + self.refused


def minutes(customer_id: str = "", *, now: int | None = None) -> list[Minute]:
    """The last :data:`MINUTES` minutes, the oldest first, those without events included."""
    current = (time.time_ns() // 1000 if now is None else now) // MINUTE
    since = current - MINUTES + 1
    stored = per_minute(Event, customer_id, since=since)
    refused = per_minute(RefusedRequest, customer_id, since=since)
    most = max([1, *(stored.get(m, 0) + refused.get(m, 0) for m in range(since, current + 1))])
    return [
        Minute(
            datetime.fromtimestamp(minute * 60, UTC),
            stored.get(minute, 0),
            refused.get(minute, 0),
            round(100 * (stored.get(minute, 0) + refused.get(minute, 0)) / most),
        )
        for minute in range(since, current + 1)
    ]


def per_minute(model: Any, customer_id: str, *, since: int) -> dict[int, int]:
    rows = model.objects.filter(pk__gt=newest_of(model) - WINDOW, received__gte=since * MINUTE)
    if customer_id:
        rows = rows.filter(customer_id=customer_id)
    counted = rows.order_by().annotate(minute=F("received") / MINUTE).values("minute")
    found: dict[int, int] = {}
    for minute, count in counted.annotate(count=Count("pk")).values_list("minute", "count"):
        found[int(minute)] = found.get(int(minute), 0) + count
    return found


def suspicions(customer_id: str) -> Iterator[str]:
    """What the newest events of a customer look like, where that is hardly meant (reference B6, 29)."""
    rows = Event.objects.filter(customer_id=customer_id, pk__gt=newest_of(Event) - SAMPLE).order_by()
    ratings = [rating or 0 for rating in rows.filter(event="rate").values_list("rating", flat=True)]
    if len(ratings) >= FEWEST and max(ratings) <= 10:
        yield gettext(
            "All of the last %(count)d ratings are 10 or less. "
            "Ratings go from 0 to 100; is this a scale of stars?"
        ) % {"count": len(ratings)}
    yield from suspicious_prices(rows)
    yield from suspicious_users(rows)


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
