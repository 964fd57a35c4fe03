"""Finding rows by the generation of their users: ranges of the indexes over customer and user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Min, Model, QuerySet


def customers_of(model: type[Model]) -> Iterator[str]:
    """The customers of a table, each found by one look into an index: DISTINCT would read all of it."""
    rows = model._default_manager.order_by()
    customer_id = rows.aggregate(first=Min("customer_id"))["first"]
    while customer_id is not None:
        yield customer_id
        customer_id = rows.filter(customer_id__gt=customer_id).aggregate(next=Min("customer_id"))["next"]


def within(model: type[Model], customer_id: str, column: str, bounds: tuple[str, str]) -> QuerySet[Any]:
    """The rows of a customer whose ``column`` is at least the first and less than the second bound."""
    low, high = bounds
    return model._default_manager.filter(
        **{"customer_id": customer_id, f"{column}__gte": low, f"{column}__lt": high}
    ).order_by()


def any_stored(model: type[Model], low: str, high: str, *, column: str = "user") -> bool:
    return any(within(model, one, column, (low, high)).exists() for one in customers_of(model))
