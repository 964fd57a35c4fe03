"""One report: events, calls, conversion and revenue of a customer in a range (engine-protocol.md 7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Sum

from personalization.server import rates
from personalization.server.models import CallCount, Model
from personalization.server.statistics import calls, traffic
from personalization.server.statistics.spans import Span
from personalization.server.statistics.traffic import SECOND, Traffic

MOST_DETAILS = 100
CENT = Decimal("0.01")
Place = TypeVar("Place")


@dataclass(kw_only=True)
class Revenue:
    """Sums in the account's currency. ``missing``: by currency what could not be converted and is not in
    them. ``recommended``: what was bought after a click on a recommendation of it."""

    currency: str
    total: Decimal = Decimal(0)
    recommended: Decimal = Decimal(0)
    pieces: int = 0
    pieces_recommended: int = 0
    missing: dict[str, Decimal] = field(default_factory=dict)
    slices: dict[int, Decimal] = field(default_factory=dict)
    pieces_slices: dict[int, int] = field(default_factory=dict)
    pieces_recommended_slices: dict[int, int] = field(default_factory=dict)
    by_scenario: dict[str, Decimal] = field(default_factory=dict)
    by_model: dict[str, Decimal] = field(default_factory=dict)
    pieces_by_scenario: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Line:
    """A scenario or a model: how often it was asked, what it delivered, how often that was followed. The
    counts by the number of the slice are those of scenarios."""

    calls: int = 0
    delivered: int = 0
    followed: int = 0
    revenue: Decimal = Decimal(0)
    calls_slices: dict[int, int] = field(default_factory=dict)
    followed_slices: dict[int, int] = field(default_factory=dict)

    @property
    def conversion(self) -> float | None:
        """Clicks per call; may exceed 1. None without any call."""
        return self.followed / self.calls if self.calls else None


@dataclass(kw_only=True)
class Report:
    """Everything of one customer and range."""

    customer_id: str
    span: Span
    events: dict[str, list[int]]  # by code a count for each slice
    calls: list[int]  # a count for each slice
    scenarios: dict[str, Line]
    models: dict[str, Line]
    total: Line
    revenue: Revenue
    users: int
    items: int
    popular: list[dict[str, Any]]
    details: list[dict[str, Any]]


def report(customer_id: str, span: Span) -> Report:
    """Read lake, calls and rates. Raises :class:`~config.faults.Fault` when the lake is damaged."""
    within = timedelta(minutes=settings.ATTRIBUTION_MINUTES)
    seen = traffic.read(customer_id, span, within=within)
    slices = len(span.slices())
    events: dict[str, list[int]] = {}
    for (code, number), n in seen.counts.items():
        events.setdefault(code, [0] * slices)[min(number, slices - 1)] += n
    sold, details = revenue(seen)
    scenarios, models = lines(customer_id, span, seen, sold)
    total = Line(
        calls=sum(line.calls for line in scenarios.values()),
        delivered=sum(line.delivered for line in scenarios.values()),
        followed=sum(seen.followed.values()),
        revenue=sold.recommended,
    )
    return Report(
        customer_id=customer_id,
        span=span,
        events=dict(sorted(events.items())),
        calls=calls_by_slice(scenarios, span),
        scenarios=scenarios,
        models=models,
        total=total,
        revenue=sold,
        users=seen.users,
        items=seen.items,
        popular=seen.popular,
        details=details[:MOST_DETAILS],
    )


def revenue(seen: Traffic) -> tuple[Revenue, list[dict[str, Any]]]:
    """Sums and the purchases that followed a recommendation, the newest first."""
    sold = Revenue(currency=settings.ACCOUNT_CURRENCY)
    table = rates.table()
    details = []
    for one in seen.purchases:
        sold.pieces += one["pieces"]
        recommended = one["followed_at"] is not None
        count(sold.pieces_slices, one["slice"], one["pieces"])
        if recommended:
            sold.pieces_recommended += one["pieces"]
            count(sold.pieces_recommended_slices, one["slice"], one["pieces"])
            count(sold.pieces_by_scenario, one["scenario"], one["pieces"])
        amount = None if one["paid"] is None else one["paid"] * one["pieces"]
        if recommended:
            details.append(detail(one, amount))
        if amount is not None:
            add(sold, one, amount, table, recommended=recommended)
    return sold, details


def count(counts: dict[Place, int], place: Place, more: int) -> None:
    counts[place] = counts.get(place, 0) + more


def add(
    sold: Revenue, one: dict[str, Any], amount: Decimal, table: rates.Table, *, recommended: bool
) -> None:
    currency = one["currency"] or sold.currency
    day = datetime.fromtimestamp(one["bought_at"] / SECOND, UTC).date()
    converted = table.converted(amount, currency, into=sold.currency, day=day)
    if converted is None:
        sold.missing[currency] = sold.missing.get(currency, Decimal(0)) + amount
        return
    sold.total += converted
    sold.slices[one["slice"]] = sold.slices.get(one["slice"], Decimal(0)) + converted
    if recommended:
        sold.recommended += converted
        for name, sums in ((one["scenario"], sold.by_scenario), (one["model_id"], sold.by_model)):
            sums[name] = sums.get(name, Decimal(0)) + converted


def detail(one: dict[str, Any], amount: Decimal | None) -> dict[str, Any]:
    return {
        "item_type": one["item_type"],
        "item_id": one["item_id"],
        "scenario": one["scenario"],
        "followed_at": datetime.fromtimestamp(one["followed_at"] / SECOND, UTC),
        "minutes": round((one["bought_at"] - one["followed_at"]) / SECOND / 60, 1),
        "pieces": one["pieces"],
        "price": one["paid"],
        "amount": amount,
        "currency": one["currency"],
    }


def lines(
    customer_id: str, span: Span, seen: Traffic, sold: Revenue
) -> tuple[dict[str, Line], dict[str, Line]]:
    """By scenario, and by the identifier of the model."""
    calls.board.flush()
    known = Model.objects.filter(customer_id=customer_id).values_list("pk", "identifier")
    names = {str(pk): name for pk, name in known}
    scenarios: dict[str, Line] = {}
    models: dict[str, Line] = {}
    counted = counts_of(customer_id, span).values("scenario", "model")
    for row in counted.annotate(n=Sum("calls"), items=Sum("delivered")).order_by("scenario", "model"):
        if row["model"] == calls.ALL_MODELS:
            line = scenarios.setdefault(row["scenario"], Line())
        else:
            line = models.setdefault(row["model"], Line())
        line.calls += row["n"]
        line.delivered += row["items"]
    for scenario, number, n in hours(customer_id, span):
        count(scenarios.setdefault(scenario, Line()).calls_slices, number, n)
    last = len(span.slices()) - 1
    for (scenario, model, number), n in seen.followed.items():
        line = scenarios.setdefault(scenario, Line())
        line.followed += n
        count(line.followed_slices, min(number, last), n)
        models.setdefault(names.get(model, model or "unknown"), Line()).followed += n
    for scenario, amount in sold.by_scenario.items():
        scenarios.setdefault(scenario, Line()).revenue += amount
    for model, amount in sold.by_model.items():
        models.setdefault(names.get(model, model or "unknown"), Line()).revenue += amount
    return scenarios, models


def counts_of(customer_id: str, span: Span) -> Any:
    first = span.begin.replace(minute=0, second=0, microsecond=0)
    return CallCount.objects.filter(customer_id=customer_id, hour__gte=first, hour__lt=span.end)


def hours(customer_id: str, span: Span) -> Iterator[tuple[str, int, int]]:
    """Scenario, number of the slice, calls. Calls are known by the hour; an hour counts for the slice that it
    begins in."""
    last = len(span.slices()) - 1
    rows = counts_of(customer_id, span).filter(model=calls.ALL_MODELS)
    for scenario, hour, n in rows.values_list("scenario", "hour", "calls"):
        yield scenario, min(max(0, (hour - span.begin) // span.slice), last), n


def calls_by_slice(scenarios: dict[str, Line], span: Span) -> list[int]:
    found = [0] * len(span.slices())
    for line in scenarios.values():
        for number, n in line.calls_slices.items():
            found[number] += n
    return found


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)
