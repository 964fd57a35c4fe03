"""The models and scenarios that every customer starts with, as tabled in the decisions page."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from config.customers import directory
from personalization.server.models import Model, Scenario
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import CategoryFilter, Context, Level, PlacedModel, Strategy

# identifier -> name, kind, event code
MODELS = {
    "top_clicked": ("Top clicked", "popularity", "click"),
    "top_purchased": ("Top purchased", "popularity", "buy"),
    "also_clicked": ("Also clicked", "co_occurrence", "click"),
    "also_bought": ("Also bought", "co_purchase", "buy"),
    "recently_added": ("Recently added", "recently_added", ""),
    "recently_viewed": ("Recently viewed", "history", ""),
}
PARAMETERS: dict[str, dict[str, float]] = {
    # Bought less often than clicked: engine-protocol.md 5.2 advises three to six months.
    "top_purchased": {"window_days": 180.0, "half_life_days": 45.0}
}


def level(model: str, context: Context, *, category: CategoryFilter | None = None) -> Level:
    placed = PlacedModel(model=model, context=context)
    return Level(models=[placed], category=category or CategoryFilter())


# Without a categorypath in the request this is the whole site.
REQUESTED_CATEGORY = CategoryFilter(mode="same")
POPULAR = level("top_clicked", Context.NONE, category=REQUESTED_CATEGORY)
SAME_CATEGORY = CategoryFilter(mode="same", reference="context")
# identifier -> name, levels
SCENARIOS = {
    "front": ("Front page", [level("also_clicked", Context.CLICKED), POPULAR]),
    "detail": (
        "Detail page",
        [
            level("also_clicked", Context.ITEM),
            level("top_clicked", Context.NONE, category=SAME_CATEGORY),
        ],
    ),
    "category": ("Category page", [POPULAR]),
    "popular": ("Popular", [POPULAR]),
    "also_bought": ("Also bought", [level("also_bought", Context.ITEM)]),
    "recently_added": (
        "Recently added",
        [level("recently_added", Context.NONE, category=REQUESTED_CATEGORY)],
    ),
    "bestsellers": ("Bestsellers", [level("top_purchased", Context.NONE, category=REQUESTED_CATEGORY)]),
    "recently_viewed": ("Recently viewed", [level("recently_viewed", Context.CLICKED)]),
}


def ensure_defaults(customer_id: str) -> None:
    """Create what is missing of the default models and scenarios. Safe to repeat; changes nothing else."""
    if Scenario.objects.filter(customer_id=customer_id, identifier__in=SCENARIOS).count() == len(SCENARIOS):
        return
    account = directory.find(customer_id)
    commerce = account is not None and account.kind == "commerce"
    with transaction.atomic():
        Model.objects.bulk_create(default_models(customer_id), ignore_conflicts=True)
        Scenario.objects.bulk_create(default_scenarios(customer_id, commerce=commerce), ignore_conflicts=True)


def default_models(customer_id: str) -> list[Model]:
    return [
        Model(
            customer_id=customer_id,
            identifier=identifier,
            name=name,
            kind=kind,
            signal=signal,
            parameters=PARAMETERS.get(identifier, {}),
        )
        for identifier, (name, kind, signal) in MODELS.items()
    ]


def default_scenarios(customer_id: str, *, commerce: bool) -> list[Scenario]:
    return [
        Scenario(
            customer_id=customer_id,
            identifier=identifier,
            name=name,
            strategy=Strategy(levels=levels).model_dump(mode="json"),
            filters=Filters(exclude_purchased=commerce and identifier == "front").model_dump(mode="json"),
        )
        for identifier, (name, levels) in SCENARIOS.items()
    ]


def on_customer_created(customer_id: str, **_signal: Any) -> None:
    """Receiver of ``config.customers.directory.customer_created``."""
    ensure_defaults(customer_id)
