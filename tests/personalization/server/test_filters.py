"""The filters of a scenario (engine-protocol.md 6.4, 6.5): each takes out what it must, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from personalization.server import artefacts, editorial, rates
from personalization.server.models import StoredItem
from personalization.server.scenarios.filters import Filters
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
    """Items 1 to 6, the lower the more popular; prices 10, 20, 30, none, 50, 60; three categories."""
    customer_id = new_account("Made", kind="commerce").customer_id
    prices = {1: "10.00", 2: "20.00", 3: "30.00", 5: "50.00", 6: "60.00"}
    made.stored(
        customer_id,
        {
            n: {
                "categoryPath": [f"/1/{(n + 1) // 2}/"],
                "nominal": {"color": "red" if n % 2 else "blue"},
                **({"price": f"{prices[n]}EUR"} if n in prices else {}),
            }
            for n in range(1, 7)
        },
    )
    for item in range(1, 7):
        made.happened(customer_id, [one for n in range(9 - item) for one in did("click", f"u{n}", item)])
    made.model(customer_id, "popularity", signal="click")
    return customer_id


ALL = ["1", "2", "3", "4", "5", "6"]


def without(*ids: int) -> list[str]:
    return [one for one in ALL if int(one) not in ids]


PRICES = {1: "1000JPY", 2: "40.00USD", 3: "30.00EUR", 4: "9.00XAU", 5: "", 6: "9000JPY"}


@pytest.mark.parametrize(
    ("filters", "asked", "right"),
    [
        ({"min_price": 30}, {}, without(1)),  # 1000 JPY are 6.25 EUR, 40 USD are 32
        ({"min_price": 33}, {}, without(1, 2, 3)),
        ({"min_price": 33, "exclude_unpriced": True}, {}, ["4", "6"]),  # what has no rate has a price
        ({"exclude_cheaper": True}, {"context_ids": ("2",)}, without(1, 2, 3)),  # 37.50 USD
        ({"exclude_cheaper": True}, {"context_ids": ("2", "3")}, without(1, 2, 3)),
        ({"exclude_cheaper": True}, {"context_ids": ("4",)}, without(4)),  # cannot be compared
        ({"exclude_cheaper": True}, {"context_ids": ("4", "6")}, without(4, 6)),
        ({"exclude_cheaper": True, "min_price": 50}, {"context_ids": ("3",)}, ["4", "5", "6"]),
    ],
)
def test_it_compares_prices_in_one_currency(
    filters: dict[str, Any], asked: dict[str, Any], right: list[str]
) -> None:
    customer_id = new_account("Abroad", kind="commerce").customer_id
    made.stored(customer_id, {n: {"price": price} if price else {} for n, price in PRICES.items()})
    for item in PRICES:
        made.happened(customer_id, [one for n in range(9 - item) for one in did("click", f"u{n}", item)])
    made.model(customer_id, "popularity", signal="click")
    made.scenario(customer_id, "made", filters=filters)
    given = [("2026-01-01", "USD", "9.99"), ("2026-02-01", "USD", "1.25"), ("2026-02-01", "JPY", "160")]
    future = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    rates.store(rates.rate(*one, number=1) for one in [*given, (future, "USD", "77")])
    rates.forget()
    assert made.listed(customer_id, **asked) == right


def test_prices_in_one_foreign_currency_need_no_rates_to_be_compared() -> None:
    customer_id = new_account("Abroad", kind="commerce").customer_id
    made.stored(customer_id, {n: {"price": f"{n}.00USD"} for n in (1, 2, 3)})
    made.happened(customer_id, [one for n in (1, 2, 3) for one in did("click", "u", n)])
    made.model(customer_id, "popularity", signal="click")
    made.scenario(customer_id, "made", filters={"exclude_cheaper": True})
    assert made.listed(customer_id, context_ids=("2",)) == ["3"]


@pytest.mark.parametrize(
    ("filters", "asked", "right"),
    [
        ({}, {}, ALL),
        ({}, {"context_ids": ("3",)}, without(3)),
        ({"exclude_context_items": False}, {"context_ids": ("3",)}, ALL),
        ({"min_price": 30}, {}, without(1, 2)),
        ({"min_price": 30, "exclude_unpriced": True}, {}, without(1, 2, 4)),
        ({"exclude_unpriced": True}, {}, ALL),  # only together with a price filter
        ({"exclude_cheaper": True}, {"context_ids": ("3",)}, without(1, 2, 3)),
        ({"exclude_cheaper": True, "exclude_unpriced": True}, {"context_ids": ("5",)}, ["6"]),
        ({"exclude_cheaper": True}, {"context_ids": ("4",)}, without(4)),  # a price that is not known
        ({"exclude_context_category": True}, {"context_ids": ("3",)}, without(3, 4)),
        ({"excluded_categories": ["/1/1/", "1/3"]}, {}, ["3", "4"]),
        ({"excluded_categories": ["1/9"]}, {}, ALL),
        ({"max_item_age_days": 3}, {}, ALL),
    ],
)
def test_it_leaves_out_what_the_filter_says(
    customer: str, filters: dict[str, Any], asked: dict[str, Any], right: list[str]
) -> None:
    made.scenario(customer, "made", filters=filters)
    assert made.listed(customer, **asked) == right


@pytest.mark.parametrize(
    ("event", "filters", "out"),
    [
        ("buy", {"exclude_purchased": True}, True),
        ("owns", {"exclude_purchased": True}, True),
        ("buy", {}, False),
        ("consume", {"exclude_consumed": True}, True),
        ("consume", {"exclude_purchased": True}, False),
        ("blacklist", {}, True),
    ],
)
def test_it_leaves_out_what_the_user_had(
    customer: str, event: str, filters: dict[str, Any], *, out: bool
) -> None:
    made.happened(customer, did(event, "me", 2, days=30))
    made.scenario(customer, "made", filters=filters)
    assert made.listed(customer, user="me") == (without(2) if out else ALL)
    assert made.listed(customer, user="you") == ALL


@pytest.mark.parametrize(("event", "filters"), [("consume", {"exclude_consumed": True}), ("blacklist", {})])
def test_it_forgets_a_consumption_and_a_blacklisting_after_a_year(
    customer: str, event: str, filters: dict[str, Any]
) -> None:
    made.happened(customer, did(event, "me", 2, days=366) + did(event, "me", 3, days=364))
    made.scenario(customer, "made", filters=filters)
    assert made.listed(customer, user="me") == without(3)


def test_it_shows_an_item_so_many_times_in_a_visit(customer: str) -> None:
    minutes = [1, 20, 40]  # pauses of less than half an hour: one visit
    for ago in minutes:
        made.happened(customer, did("rendered", "me", 1, days=ago / 1440))
    made.happened(customer, did("rendered", "me", 2, days=1 / 1440))
    made.happened(customer, did("rendered", "me", 2, days=2))
    for most, right in ((1, without(1, 2)), (3, without(1)), (4, ALL)):
        made.scenario(customer, "made", filters={"max_shows": most})
        assert made.listed(customer, user="me") == right
    made.scenario(customer, "made", filters={"max_shows": 2})
    assert made.listed(customer, user="me") == without(1)


def test_it_leaves_out_the_top_selling_whatever_the_scenario_recommends(customer: str) -> None:
    made.happened(customer, did("buy", "me", 1, 5, days=3))
    made.model(customer, "popularity", signal="buy", identifier="top_purchased")
    made.scenario(customer, "made", filters={"exclude_top_selling": True})
    assert made.listed(customer) == without(1, 5)
    made.scenario(customer, "top_purchased", filters={"exclude_top_selling": True})
    assert made.listed(customer) == []


def test_it_never_recommends_what_editors_banned(customer: str) -> None:
    made.model(customer, "blacklist", identifier="banned", build=False)
    editorial.replace(customer, "banned", [(made.KIND, "1", 1)])
    made.scenario(customer, "made")
    assert made.listed(customer) == without(1)
    editorial.replace(customer, "banned", [(made.KIND, "6", 1)])
    made.forget()
    assert made.listed(customer) == without(6)


def test_it_recommends_variants_or_their_products(customer: str) -> None:
    made.stored(customer, {5: {"baseProduct": "1"}, 6: {"baseProduct": "1"}})
    made.scenario(customer, "made")
    assert made.listed(customer) == without(1)
    made.scenario(customer, "made", filters={"variants": False})
    assert made.listed(customer) == without(5, 6)


def test_it_leaves_out_items_that_came_too_long_ago(customer: str) -> None:
    StoredItem.objects.filter(item_id="1").update(added_at=datetime.now(UTC) - timedelta(days=5))
    made.scenario(customer, "made", filters={"max_item_age_days": 3})
    assert made.listed(customer) == without(1)


@pytest.mark.parametrize(
    ("places", "right"),
    [
        (2, ["2", "1", "4", "3", "6", "5"]),
        (99, ["2", "4", "6", "1", "3", "5"]),
        (-99, ["1", "3", "5", "2", "4", "6"]),
    ],
)
def test_it_moves_items_up_that_have_what_the_user_likes(
    customer: str, places: int, right: list[str]
) -> None:
    boost = {"item_attribute": "color", "user_attribute": "favourite", "places": places}
    made.told(customer, {"me": {"favourite": "blue"}, "you": {"favourite": "green"}})
    made.scenario(customer, "made", filters={"boosts": [boost]})
    assert made.listed(customer, user="me")[: len(right)] == right
    assert made.listed(customer, user="you") == ALL
    assert made.listed(customer) == ALL


def test_it_boosts_an_item_that_would_not_be_in_the_answer(customer: str) -> None:
    boost = {"item_attribute": "color", "user_attribute": "favourite", "places": 99}
    made.told(customer, {"me": {"favourite": "blue"}})
    made.scenario(customer, "made", filters={"boosts": [boost]})
    assert made.listed(customer, user="me", count=2) == ["2", "4"]


def test_it_prefers_what_people_with_the_same_attribute_like(customer: str) -> None:
    made.told(
        customer,
        {**{f"u{n}": {"age": "old"} for n in range(9)}, "young": {"age": "young"}, "me": {"age": "young"}},
    )
    made.happened(customer, did("click", "young", 5))
    made.model(customer, "stereotype", signal="click", identifier="types")
    made.scenario(customer, "made")
    assert made.listed(customer, user="me") == ALL
    assert made.listed(customer, user="me", user_attributes=("age",)) == ["5", *without(5)]
    assert made.listed(customer, user="me", user_attributes=("height",)) == ALL


def test_it_goes_on_until_enough_pass(db: None) -> None:
    """A filter over a finished list of 1,000 would have emptied it."""
    customer_id = new_account("Made").customer_id
    made.stored(customer_id, {n: {"categoryPath": ["/9/" if n == 1500 else "/1/"]} for n in range(1, 1501)})
    made.happened(customer_id, did("click", "a", *range(1, 1500), days=2) + did("click", "a", 1500, days=25))
    made.model(customer_id, "popularity", signal="click")
    made.scenario(customer_id, "made", filters={"excluded_categories": ["1"]})
    assert made.listed(customer_id) == ["1500"]


def test_it_explains_what_each_filter_took_out(customer: str) -> None:
    made.scenario(customer, "made", {"models": [{"model": "absent"}]}, filters={"min_price": 30})
    found = made.answer(customer, context_ids=("6",), explain=True)
    assert [one.key[1] for one in found.items] == ["3", "4", "5"]
    first, second = found.explained
    assert (first.level, first.model, first.found, first.lacked) == (0, "made", 3, "")
    assert dict(first.tally) == {"price": 2, "excluded item": 1}
    assert (second.level, second.model, second.lacked) == (1, "absent", "the model does not exist")


def test_it_tells_which_input_a_model_lacked(customer: str) -> None:
    made.model(customer, "co_occurrence", signal="click", identifier="near")
    made.model(customer, "segment_newest", signal="click", identifier="b2b", build=False)
    made.scenario(customer, "near", "b2b", "made")
    lacked = [one.lacked for one in made.answer(customer, count=50).explained]
    assert lacked == ["no context items", "exactly one segment", ""]


@pytest.mark.parametrize(
    "document",
    [
        {"min_price": 0},
        {"max_shows": 0},
        {"boosts": [{"item_attribute": "a", "user_attribute": "b", "places": 100}]},
        {"excluded_categories": ["/"]},
        {"max_item_age_days": -1},
        {"unknown": True},
    ],
)
def test_it_refuses_filters_that_make_no_sense(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Filters.model_validate(document)


def test_it_makes_no_type_of_what_is_told_of_one_person(customer: str) -> None:
    made.told(customer, {"u0": {"mail": "a@example.org", "age": "old"}, "u1": {"age": "old"}})
    made.model(customer, "stereotype", signal="click", identifier="types")
    found = artefacts.shelf.current(customer, "types")
    assert found is not None
    assert found.sources == ["age=old"]
