"""Exchange rates by day, and amounts in the account's currency. Prices are stored as they were paid."""

from __future__ import annotations

import csv
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from math import nan
from pathlib import Path

from django.db.models import OuterRef, Subquery

from personalization.server.models import ExchangeRate

BASE = "EUR"
BATCH = 1_000
KEPT_SECONDS = 60.0
# How the European Central Bank writes that there is no rate.
NONE = {"", "N/A"}


class WrongRates(ValueError):
    """A file of rates that cannot be read; the message names the line and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """One unit of :data:`BASE` was worth ``rate`` units of ``currency``."""

    day: date
    currency: str
    rate: Decimal


def read(path: Path) -> list[Rate]:
    """Rates from CSV: either ``date,currency,rate`` or a column for each currency, as the European Central
    Bank publishes them. Raises :class:`WrongRates`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            return list(rows(csv.reader(handle)))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise WrongRates(f"{path}: {fault}") from None


def rows(lines: Iterator[list[str]]) -> Iterator[Rate]:
    head = [name.strip() for name in next(lines, [])]
    if not head or head[0].lower() != "date":
        raise WrongRates(f"The first column must be called date; got {','.join(head)[:80]!r}.")
    long = [name.lower() for name in head[:3]] == ["date", "currency", "rate"]
    for number, line in enumerate(lines, 2):
        cells = [cell.strip() for cell in line]
        if not any(cells):
            continue
        pairs = [(cells[1], cells[2])] if long and len(cells) > 2 else zip(head[1:], cells[1:], strict=False)
        for currency, value in pairs:
            if currency and value not in NONE:
                yield rate(cells[0], currency, value, number)


def rate(day: str, currency: str, value: str, number: int) -> Rate:
    try:
        found = Rate(day=date.fromisoformat(day), currency=currency.upper(), rate=Decimal(value))
    except (ValueError, InvalidOperation):
        raise WrongRates(f"Line {number}: {day!r} or {value!r} is no date or no number.") from None
    if not (len(found.currency) == 3 and found.currency.isascii() and found.currency.isalpha()):
        raise WrongRates(f"Line {number}: a currency has three letters; got {currency[:16]!r}.")
    if not found.rate.is_finite() or not 0 < found.rate < 10**9:
        raise WrongRates(f"Line {number}: a rate is a positive number; got {value[:40]!r}.")
    return found


def store(rates: Iterable[Rate]) -> int:
    """Keep these rates, in place of those of the same day and currency; returns how many."""
    found = {(one.day, one.currency): one for one in rates}
    ExchangeRate.objects.bulk_create(
        [ExchangeRate(day=one.day, currency=one.currency, rate=one.rate) for one in found.values()],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["day", "currency"],
        update_fields=["rate"],
    )
    return len(found)


@dataclass(kw_only=True)
class Table:
    """All rates up to a day, to convert many amounts."""

    _days: dict[str, list[date]] = field(default_factory=dict)
    _rates: dict[str, list[Decimal]] = field(default_factory=dict)

    def rate_of(self, currency: str, day: date) -> Decimal | None:
        """The rate of the day, else the newest before it; None where there is none."""
        if currency == BASE:
            return Decimal(1)
        place = bisect_right(self._days.get(currency, []), day)
        return self._rates[currency][place - 1] if place else None

    def converted(self, amount: Decimal, currency: str, *, into: str, day: date) -> Decimal | None:
        """The amount in another currency, None where a rate is missing."""
        if currency == into:
            return amount
        mine, theirs = self.rate_of(currency, day), self.rate_of(into, day)
        return None if mine is None or theirs is None else amount / mine * theirs


_newest: tuple[float, dict[str, float]] = (-KEPT_SECONDS, {})


def worth(currency: str, *, into: str) -> float:
    """What one unit of a currency is worth in another by the newest rates; NaN where a rate is missing."""
    if currency == into:
        return 1.0
    if not currency:  # of an item without a price
        return nan
    found = newest()
    return found.get(into, nan) / found.get(currency, nan)


def newest() -> dict[str, float]:
    """By currency its newest rate that is not of the future, at most a minute old."""
    global _newest
    if time.monotonic() - _newest[0] >= KEPT_SECONDS:
        known = ExchangeRate.objects.filter(day__lte=datetime.now(UTC).date())
        of_currency = known.filter(currency=OuterRef("currency")).order_by("-day").values("day")[:1]
        rows = known.filter(day=Subquery(of_currency)).values_list("currency", "rate")
        _newest = (time.monotonic(), {BASE: 1.0} | {currency: float(value) for currency, value in rows})
    return _newest[1]


def forget() -> None:
    """Read the newest rates afresh."""
    global _newest
    _newest = (-KEPT_SECONDS, {})


def table() -> Table:
    found = Table()
    for day, currency, value in ExchangeRate.objects.order_by("day").values_list("day", "currency", "rate"):
        found._days.setdefault(currency, []).append(day)
        found._rates.setdefault(currency, []).append(value)
    return found
