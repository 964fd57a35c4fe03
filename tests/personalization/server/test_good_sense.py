"""Also bought on a shop of families and bestsellers, from the file to the answer.

A list makes sense when it shows a product's family and few of what everybody buys anyway (measure of
docs/real-data.md, on a made-up shop of the same kind).
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client

from personalization.server import artefacts, catalogues, plans
from personalization.server.models import StoredItem
from tests.personalization.server.conftest import Account, new_account

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

FAMILIES, SIBLINGS = 50, 8
BASKETS = 1_500
SHOWN, FEW = 10, 2
# Products that sell neither well nor badly.
ORDINARY = [f"family {family} colour 3" for family in range(5, FAMILIES, 2)]


def baskets() -> list[list[str]]:
    """Two families a basket, and two things that many buy. Family 0 is loved by all."""
    chance = random.Random(7)  # noqa: S311 - a made-up shop, not a secret
    families = range(FAMILIES)
    loved = [20.0 if family == 0 else 1.0 for family in families]
    names = [f"family {family} colour {colour}" for family in families for colour in range(SIBLINGS)]
    crowd = [1 / (1 + 40 * chance.random()) ** 2 for _ in names]
    made = []
    for _ in range(BASKETS):
        themes = chance.choices(families, loved, k=2)
        own = [f"family {t} colour {colour}" for t in themes for colour in chance.sample(range(SIBLINGS), 4)]
        made.append(sorted({*own, *chance.choices(names, crowd, k=2)}))
    return made


def bestsellers(made: list[list[str]]) -> set[str]:
    """As large a part of this shop as the first fifty are of a shop of 3,800 products, rounded up."""
    counts = Counter(name for basket in made for name in basket)
    return {name for name, _ in counts.most_common(6)}


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Account:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    path = tmp_path / "lines.csv"
    with path.open("w", newline="") as handle:
        lines = csv.writer(handle)
        lines.writerow(["Customer", "Name", "At"])
        for number, basket in enumerate(baskets()):
            at = datetime(2025, 3, 1) + timedelta(minutes=number)  # noqa: DTZ001 - the file's form
            lines.writerows([f"buyer {number % 700}", name, at.isoformat()] for name in basket)
    account = new_account("Gift shop", kind="commerce")
    call_command(
        "import_events",
        str(path),
        customer=account.customer_id,
        map=["user=Customer,item=Name,ts=At"],
        mint_ids=True,
        json=True,
        stdout=StringIO(),
    )
    call_command("build_models", customer=account.customer_id, verbosity=0)
    for shelf in (catalogues.catalogues, plans, artefacts.shelf):
        shelf.forget()
    return account


def names_of(account: Account) -> dict[int, str]:
    rows = StoredItem.objects.filter(customer_id=account.customer_id)
    return {int(row.item_id): next(v for key, _, v in row.attributes if key == "name") for row in rows}


def also_bought(client: Client, account: Account, names: dict[int, str], product: str) -> list[str]:
    number = next(item for item, name in names.items() if name == product)
    answer = client.get(
        f"/api/v2/{account.customer_id}/nobody/also_bought.json",
        {"contextitems": number, "numrecs": SHOWN},
    )
    assert answer.status_code == 200, answer.content
    return [names[item["itemId"]] for item in answer.json()["recommendationItems"]]


def test_it_shows_the_family_and_few_bestsellers_where_popularity_shows_nothing_else(
    client: Client, shop: Account
) -> None:
    names, best = names_of(shop), bestsellers(baskets())
    for product in ORDINARY:
        shown = also_bought(client, shop, names, product)
        family = product.partition(" colour")[0] + " "
        assert len(shown) == SHOWN
        assert sum(name in best for name in shown) <= FEW, (product, shown)
        assert sum(name.startswith(family) for name in shown) >= SIBLINGS - 2, (product, shown)
    popular = artefacts.shelf.current(shop.customer_id, "top_purchased")
    assert popular is not None
    ranking = [names[int(popular.keys[row][1])] for row in np.argsort(-popular.ranking)[:SHOWN]]
    assert sum(name in best for name in ranking) > FEW


def test_it_keeps_to_few_where_a_products_own_family_are_the_bestsellers(
    client: Client, shop: Account
) -> None:
    names, best = names_of(shop), bestsellers(baskets())
    assert all(name.startswith("family 0 ") for name in best)
    for product in sorted(best):
        shown = also_bought(client, shop, names, product)
        assert len(shown) == SHOWN
        assert sum(name in best for name in shown) <= FEW
        assert sum(name.startswith("family 0 ") for name in shown) >= FEW
