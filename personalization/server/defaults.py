"""The models and scenarios that every customer starts with, as tabled in the decisions page, and those of its
type of account (engine-protocol.md 6.6)."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import transaction

from config.customers import directory
from personalization.server.models import GivenDefaults, Model, Scenario
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import CategoryFilter, Context, Level, PlacedModel, Strategy

COMMERCE = "commerce"

# identifier -> name, kind, event code
MODELS = {
    "top_clicked": ("Top clicked", "popularity", "click"),
    "top_purchased": ("Top purchased", "popularity", "buy"),
    "also_clicked": ("Also clicked", "co_occurrence", "click"),
    "also_bought": ("Also bought", "co_purchase", "buy"),
    "recently_added": ("Recently added", "recently_added", ""),
    "recently_viewed": ("Recently viewed", "history", ""),
    "for_you": ("For you", "for_you", "click"),
    "visits": ("Visits like this one", "visits", "click"),
    "similar_content": ("Similar content", "content_based", ""),
    "editorial_list": ("Editors' choice", "editorial_list", ""),
    "editor_blacklist": ("Editors' blacklist", "blacklist", ""),
}
PUBLISHER_MODELS = {
    "top_consumed": ("Top consumed", "popularity", "consume"),
    "also_consumed": ("Also consumed", "co_occurrence", "consume"),
    "rising": ("Rising", "predictive_popularity", "click"),
}
COMMERCE_MODELS = {
    "ultimately_bought": ("Ultimately bought", "ultimately_bought", "buy"),
    "cf_fbt": ("Frequently bought together", "bundle", "buy"),
    "best_rated": ("Best rated", "best_rated", "rate"),
    "recurring_purchase": ("Recurring purchase", "recurring_purchase", "buy"),
    "basket_history": ("In the basket", "history", ""),
}
PARAMETERS: dict[str, dict[str, Any]] = {
    # Bought less often than clicked: engine-protocol.md 5.2 advises three to six months.
    "top_purchased": {"window_days": 180.0, "half_life_days": 45.0}
}


def level(*models: str, context: Context, category: CategoryFilter | None = None) -> Level:
    placed = [PlacedModel(model=model, context=context) for model in models]
    return Level(models=placed, category=category or CategoryFilter())


# Without a categorypath in the request this is the whole site.
REQUESTED_CATEGORY = CategoryFilter(mode="same")
POPULAR = level("top_clicked", context=Context.NONE, category=REQUESTED_CATEGORY)
CONSUMED = level("top_consumed", context=Context.NONE, category=REQUESTED_CATEGORY)
BESTSELLERS = level("top_purchased", context=Context.NONE, category=REQUESTED_CATEGORY)
SAME_CATEGORY = CategoryFilter(mode="same", reference="context")
ALIKE = level("similar_content", context=Context.ITEM)
NEW = level("recently_added", context=Context.NONE, category=REQUESTED_CATEGORY)
SUGGESTED = level("for_you", "visits", context=Context.CLICKED)


class Placed(NamedTuple):
    """A scenario of the default set: name, levels, and filters that differ from the usual ones."""

    name: str
    levels: list[Level]
    filters: dict[str, Any] = {}  # noqa: RUF012 - never changed


# identifier -> what it is
SCENARIOS = {
    "front": Placed("Front page", [level("also_clicked", context=Context.CLICKED), POPULAR]),
    "detail": Placed(
        "Detail page",
        [
            level("also_clicked", context=Context.ITEM),
            level("top_clicked", context=Context.NONE, category=SAME_CATEGORY),
        ],
    ),
    "category": Placed("Category page", [POPULAR]),
    "popular": Placed("Popular", [POPULAR]),
    "also_bought": Placed("Also bought", [level("also_bought", context=Context.ITEM)]),
    "recently_added": Placed("Recently added", [NEW]),
    "bestsellers": Placed("Bestsellers", [BESTSELLERS]),
    "recently_viewed": Placed("Recently viewed", [level("recently_viewed", context=Context.CLICKED)]),
    "personal": Placed("For you", [SUGGESTED, level("also_clicked", context=Context.CLICKED), POPULAR]),
    "related": Placed(
        "Related", [level("also_clicked", "similar_content", context=Context.ITEM), ALIKE, NEW]
    ),
    "editorial": Placed("Editors' choice", [level("editorial_list", context=Context.NONE)]),
}
PUBLISHER_SCENARIOS = {
    "top_consumed": Placed("Most read", [CONSUMED, POPULAR]),
    "also_consumed": Placed(
        "Read next",
        [level("also_consumed", context=Context.AUTOMATIC), ALIKE],
        {"exclude_consumed": True},
    ),
    "rising": Placed("Rising", [level("rising", context=Context.NONE, category=REQUESTED_CATEGORY), POPULAR]),
}
COMMERCE_SCENARIOS = {
    "ultimately_bought": Placed(
        "Ultimately bought",
        [level("ultimately_bought", context=Context.ITEM)],
        {"exclude_context_items": False},
    ),
    "bundle": Placed("Frequently bought together", [level("cf_fbt", context=Context.ITEM)]),
    "cross_sell": Placed("Cross-sell", [level("also_bought", context=Context.AUTOMATIC), BESTSELLERS]),
    "up_selling": Placed(
        "Up-selling",
        [level("ultimately_bought", context=Context.ITEM), ALIKE],
        {"exclude_cheaper": True, "exclude_unpriced": True},
    ),
    "basket": Placed(
        "In the basket",
        [level("also_bought", context=Context.BASKET), BESTSELLERS],
        {"exclude_purchased": True},
    ),
    "recurring_purchase": Placed("Buy again", [level("recurring_purchase", context=Context.NONE)]),
    "best_rated": Placed(
        "Best rated", [level("best_rated", context=Context.NONE, category=REQUESTED_CATEGORY)]
    ),
}


def models_of(*, commerce: bool) -> dict[str, tuple[str, str, str]]:
    return MODELS | (COMMERCE_MODELS if commerce else PUBLISHER_MODELS)


def scenarios_of(*, commerce: bool) -> dict[str, Placed]:
    return SCENARIOS | (COMMERCE_SCENARIOS if commerce else PUBLISHER_SCENARIOS)


def ensure_defaults(customer_id: str) -> None:
    """Give the customer the default models and scenarios that it never got. Changes nothing else.

    One small query where there is nothing to give; what an editor removed is not given again.
    """
    account = directory.find(customer_id)
    commerce = account is not None and account.kind == COMMERCE
    wanted = set(models_of(commerce=commerce)), set(scenarios_of(commerce=commerce))
    if missing(customer_id, wanted) == (set(), set()):
        return
    with transaction.atomic():
        GivenDefaults.objects.bulk_create([GivenDefaults(customer_id=customer_id)], ignore_conflicts=True)
        given = GivenDefaults.objects.select_for_update().get(pk=customer_id)
        models, scenarios = missing(customer_id, wanted)
        made_models = [
            one for one in default_models(customer_id, commerce=commerce) if one.identifier in models
        ]
        made_scenarios = [
            one for one in default_scenarios(customer_id, commerce=commerce) if one.identifier in scenarios
        ]
        Model.objects.bulk_create(made_models, ignore_conflicts=True)
        Scenario.objects.bulk_create(made_scenarios, ignore_conflicts=True)
        given.model_names = sorted({*given.model_names, *models})
        given.scenario_names = sorted({*given.scenario_names, *scenarios})
        given.save()


def missing(customer_id: str, wanted: tuple[set[str], set[str]]) -> tuple[set[str], set[str]]:
    """Of the wanted models and scenarios those that the customer never got."""
    rows = GivenDefaults.objects.filter(pk=customer_id)
    found = rows.values_list("model_names", "scenario_names").first()
    models, scenarios = found or ((), ())
    return wanted[0] - set(models), wanted[1] - set(scenarios)


def default_models(customer_id: str, *, commerce: bool) -> list[Model]:
    return [
        Model(
            customer_id=customer_id,
            identifier=identifier,
            name=name,
            kind=kind,
            signal=signal,
            parameters=PARAMETERS.get(identifier, {}),
        )
        for identifier, (name, kind, signal) in models_of(commerce=commerce).items()
    ]


def default_scenarios(customer_id: str, *, commerce: bool) -> list[Scenario]:
    owned = {"exclude_purchased": True} if commerce else {}
    return [
        Scenario(
            customer_id=customer_id,
            identifier=identifier,
            name=placed.name,
            strategy=Strategy(levels=placed.levels).model_dump(mode="json"),
            filters=Filters(**((owned if identifier == "front" else {}) | placed.filters)).model_dump(
                mode="json"
            ),
        )
        for identifier, placed in scenarios_of(commerce=commerce).items()
    ]


def on_customer_created(customer_id: str, **_signal: Any) -> None:
    """Receiver of ``config.customers.directory.customer_created``."""
    ensure_defaults(customer_id)
