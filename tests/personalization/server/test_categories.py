"""Categories of items that nobody described, learnt from the paths of clicks."""

from __future__ import annotations

from typing import Any

import pytest

from personalization.server import categories
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    made.forget()


@pytest.fixture
def customer(db: None) -> str:
    customer_id = new_account("Made").customer_id
    for item, path in ((1, "/Cameras/Small/"), (2, "Cameras"), (3, "/Tripods")):
        clicks = [
            one for n in range(9 - item) for one in did("click", f"u{n}{item}", item, category_path=path)
        ]
        made.happened(customer_id, clicks)
    made.happened(customer_id, did("click", "late", 3, days=2, category_path="Brand/X"))
    made.model(customer_id, "popularity", signal="click")
    made.scenario(customer_id, {"models": [{"model": "made"}], "category": {"mode": "same"}})
    return customer_id


def below(customer: str, path: str) -> list[str]:
    made.forget()
    return made.listed(customer, category_paths=(path,))


def test_it_learns_categories_from_clicks_until_there_is_a_catalogue(customer: str) -> None:
    assert below(customer, "Cameras") == []
    assert categories.learn(customer) == 3
    assert below(customer, "Cameras") == ["1", "2"]
    assert below(customer, "Cameras/Small") == ["1"]
    assert below(customer, "Camera") == []
    assert below(customer, "Brand") == below(customer, "Tripods") == ["3"]  # it lies in both
    assert customer in set(categories.without_catalogue())
    made.stored(customer, {1: {"categoryPath": ["/9/"]}})
    assert below(customer, "9") == ["1"]
    assert below(customer, "Cameras") == []
    assert customer not in set(categories.without_catalogue())


def test_it_forgets_a_path_that_nobody_goes_any_more(customer: str) -> None:
    made.happened(customer, did("click", "old", 2, days=93, category_path="Old"))
    made.happened(customer, did("click", "older", 2, days=89, category_path="Older"))
    categories.learn(customer)
    assert below(customer, "Old") == []
    assert below(customer, "Older") == ["2"]


def test_it_leaves_out_the_learnt_category_of_the_context(customer: str) -> None:
    categories.learn(customer)
    made.scenario(customer, "made", filters={"exclude_context_category": True}, input_type=made.KIND)
    assert made.listed(customer, context_ids=("2",)) == ["3"]


def test_it_learns_nothing_where_no_click_has_a_path(db: None) -> None:
    customer = new_account("Made").customer_id
    assert categories.learn(customer) == 0
    made.happened(customer, did("click", "a", 1))
    assert categories.learn(customer) == 0
