"""Why somebody is in an audience or not, condition by condition with the value that decided it."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.audiences.calculate import calculate
from cdp.audiences.explain import Explained, explain
from cdp.profiles.models import Consent
from tests.cdp.audiences.conftest import Make
from tests.cdp.audiences.documents import calc, did, did_not, either, group, have, last, member, only, top
from tests.cdp.audiences.population import Population, at

pytestmark = pytest.mark.django_db
NOW = at("2025-05-01T12:00:00Z")


def only_leaf(make: Make, population: Population, name: str, node: dict[str, Any]) -> Explained:
    found = explain(make("Asked", group(node)), population.people[name], as_of=NOW)
    return found.tree.children[0]


def test_it_says_each_condition_with_its_value(make: Make, population: Population) -> None:
    audience = make(
        "Asked",
        either(did("visit", window=last(30, "day")), group(have("country", "eq", "dk"), did_not("buy"))),
    )
    calculate(audience, as_of=NOW)
    found = explain(audience, population.people["P5"], as_of=NOW)
    assert (found.fits, found.is_member, found.consent) == (False, False, None)
    visit, inner = found.tree.children
    assert (visit.holds, visit.value) == (False, {"count": 0, "last": None})
    assert visit.text == "did visit in the last 30 days"
    country, bought = inner.children
    assert (inner.pointer, inner.holds) == ("/children/1", False)
    assert (country.holds, country.value) == (True, {"value": "dk"})
    assert (bought.type, bought.holds) == ("did_not", False)
    assert bought.value == {"count": 2, "last": "2025-02-28T09:00:00Z"}
    assert explain(audience, population.people["P1"], as_of=NOW).is_member


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (did("buy", count_by="order_id", count={"op": "lte", "value": 2}), 1),
        (did("buy", where=[only("product", "eq", "a")]), 1),
    ],
)
def test_it_counts_as_the_condition_does(
    make: Make, population: Population, node: dict[str, Any], value: int
) -> None:
    found = only_leaf(make, population, "P1", node)
    assert (found.holds, found.value["count"]) == (True, value)


@pytest.mark.parametrize(
    ("attribute", "person", "value"),
    [
        (calc("sum"), "P5", {"value": 100.15}),
        (calc("sum"), "P4", {"value": 0}),
        (calc("avg"), "P5", {"value": 50.075}),
        (calc("avg"), "P4", {"value": None}),
        (calc("count", of=None), "P1", {"value": 2}),
        (calc("distinct", "visit", of="product_id"), "P1", {"value": 2}),
        (calc("days_since_last", of=None), "P1", {"value": 11}),
        (calc("days_since_last", of=None), "P4", {"value": None}),
        (calc("first", of="order_id"), "P5", {"value": "O9"}),
        (calc("last", of="subtotal"), "P5", {"value": 0.05}),
        (calc("last", of="order_id"), "P4", {"value": None}),
        (top("category", rank=5), "P1", {"values": ["c11", "d1"]}),
        (top("category"), "P4", {"values": []}),
    ],
)
def test_it_gives_calculated_values(
    make: Make, population: Population, attribute: dict[str, Any], person: str, value: dict[str, Any]
) -> None:
    assert only_leaf(make, population, person, have(attribute, "is_not_empty")).value == value


def test_it_gives_the_moment_of_the_first_event(make: Make, population: Population) -> None:
    node = have(calc("first", of=None), "before", "2025-02-01")
    found = only_leaf(make, population, "P5", node)
    assert (found.holds, found.value) == (True, {"value": "2025-01-31T09:00:00Z"})


def test_it_looks_into_nested_audiences(make: Make, population: Population) -> None:
    make("Buyers", group(did("buy")))
    found = only_leaf(make, population, "P1", member("buyers", is_in=False))
    assert (found.type, found.text, found.holds) == ("audience", "are not in the audience Buyers", False)
    [inner] = found.children
    assert (inner.holds, inner.children[0].value["count"]) == (True, 2)


def test_it_says_what_became_of_the_consent(make: Make, population: Population) -> None:
    audience = make("Buyers", group(did("buy")), purpose="marketing")
    person = population.people["P1"]
    assert explain(audience, person, as_of=NOW).consent == {
        "purpose": "marketing",
        "status": "absent",
        "is": False,
    }
    Consent.objects.create(
        profile=person,
        purpose="marketing",
        status="granted",
        given_at=at("2025-04-01T00:00Z"),
        expires_at=NOW,
    )
    found = explain(audience, person, as_of=NOW)
    assert found.consent == {"purpose": "marketing", "status": "expired", "is": False}
    assert (found.fits, found.tree.holds) == (False, True)
    earlier = explain(audience, person, as_of=at("2025-04-30T00:00Z"))
    assert earlier.consent == {"purpose": "marketing", "status": "granted", "is": True}
    assert earlier.fits
