"""The parameters of a recommendation request, and the first version of the answer."""

from __future__ import annotations

from typing import Any

import pytest
from defusedxml import ElementTree
from django.test import Client

from config.customers.models import Customer
from tests.personalization.server import made
from tests.personalization.server.conftest import Account, new_account
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    made.forget()


@pytest.fixture
def shop(db: None) -> Account:
    """Items 1 to 4, the lower the more popular; 1 and 2 are seen together."""
    account = new_account("Made", kind="commerce")
    colors = {1: "red", 2: "red", 3: "blue", 4: "blue"}
    made.stored(
        account.customer_id,
        {
            n: {
                "nominal": {"color": colors[n]},
                "numeric": {"width": 10 * n},
                "categoryPath": ["/1/2/", "/5/6/"] if n == 3 else ["/1/2/"],
            }
            for n in colors
        },
    )
    for item in colors:
        made.happened(
            account.customer_id, [one for n in range(9 - item) for one in did("click", f"u{n}{item}", item)]
        )
    made.happened(account.customer_id, did("click", "both", 1, 2) + did("click", "too", 1, 2))
    divisions = {
        "nominal": [
            {"attribute": "color", "groups": [{"name": name, "values": [name]} for name in ("red", "blue")]}
        ],
        "numeric": [{"attribute": "width", "intervals": [{"end": 20}, {"start": 20}]}],
    }
    made.model(account.customer_id, "popularity", signal="click", divisions=divisions)
    made.model(account.customer_id, "co_occurrence", signal="click", identifier="near")
    made.scenario(account.customer_id, {"models": [{"model": "made", "data": "submodels"}]})
    made.scenario(account.customer_id, "near", "made", identifier="detail")
    made.forget()
    return account


def ask(
    client: Client, account: Account, query: str = "", *, tail: str = "me/made.json", version: str = "v2/"
) -> Any:
    return client.get(f"/api/{version}{account.customer_id}/{tail}?{query}")


def ids(answer: Any) -> list[Any]:
    assert answer.status_code == 200, answer.content
    return [item["itemId"] for item in answer.json()["recommendationItems"]]


@pytest.mark.parametrize(
    ("query", "right"),
    [
        ("", [1, 2, 3, 4]),
        ("color=red", [1, 2]),
        ("*color=red", [1, 2]),
        ("color=red,blue", [1, 2, 3, 4]),
        ("color=red&color=blue", [1, 2, 3, 4]),
        ("color=blue&width=20", [3, 4]),
        ("width-range=20:30", [2, 3, 4]),
        ("width-range=:19", [1]),
        ("width-range=5:", [1, 2, 3, 4]),
        ("unknown=1&storeViewId=3&contenttype=7", [1, 2, 3, 4]),
        ("Color=red", [1, 2, 3, 4]),  # keys are case-sensitive
    ],
)
def test_it_chooses_submodels_by_any_other_parameter(
    client: Client, shop: Account, query: str, right: list[int]
) -> None:
    assert ids(ask(client, shop, query)) == right


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("width-range=10", "two numbers such as 10:30"),
        ("width-range=30:10", "the lower one first"),
        ("width-range=a:b", "two numbers"),
        ("width-range=nan:1", "two numbers"),
        ("segments=7,x", "ids of segments"),
        ("segments=0", "ids of segments"),
        ("segments=" + ",".join(map(str, range(1, 102))), "at most 100"),
        ("usetimeslot=maybe", "usetimeslot must be true or false"),
        ("recommendCategory=perhaps", "recommendCategory must be true or false"),
        ("color=a\\b", "backslash"),
    ],
)
def test_it_refuses_values_that_mean_nothing(client: Client, shop: Account, query: str, words: str) -> None:
    answer = ask(client, shop, query)
    assert answer.status_code == 400
    assert words in answer.content.decode()


def test_it_names_the_closest_category_of_items_in_several(client: Client, shop: Account) -> None:
    def categories(query: str) -> dict[int, str | None]:
        found = ask(client, shop, query).json()["recommendationItems"]
        return {one["itemId"]: one.get("category") for one in found}

    assert categories("categorypath=/5/6/9&recommendCategory=true") == {1: None, 2: None, 3: "5/6", 4: None}
    assert categories("categorypath=/1&recommendCategory=1")[3] == "1/2"
    assert categories("categorypath=/8&recommendCategory=true")[3] is None
    assert categories("recommendCategory=true")[3] is None
    assert categories("categorypath=/5")[3] is None


def test_it_answers_the_first_version_as_json(client: Client, shop: Account) -> None:
    query = "contextitems=1&numrecs=2"
    answer = ask(client, shop, query, tail="me/detail.json", version="")
    assert answer.status_code == 200
    assert answer.json() == {
        "recommendationResponseList": [
            {"reason": "CF_I2I_CLICK (context: ITEM(s))", "itemType": 38, "itemId": 2, "relevance": 2},
            {"reason": "POPULARITY_SHORT_CLICK (context: NONE)", "itemType": 38, "itemId": 3, "relevance": 1},
        ]
    }
    assert answer["Expires"]
    assert answer["Last-Modified"]


def test_it_answers_the_first_version_as_xml_and_as_a_call(client: Client, shop: Account) -> None:
    url = f"/ebl/{shop.customer_id}/me/made"
    answer = client.get(f"{url}.xml?numrecs=1&categorypath=/1&recommendCategory=true")
    [one] = ElementTree.fromstring(answer.content)
    assert {child.tag: child.text for child in one} == {
        "itemId": "1",
        "reason": "POPULARITY_SHORT_CLICK (context: NONE)",
        "relevance": "1",
        "itemType": "38",
    }
    called = client.get(f"{url}.jsonp?numrecs=1&jsonpcallback=shop.show")
    assert called["Content-Type"].startswith("text/javascript")
    assert called.content.startswith(b'/**/shop.show({"recommendationResponseList":[')


@pytest.mark.parametrize(
    ("tail", "status"),
    [("me/none.json", 404), ("me/made.json?numrecs=0", 400), ("me/made.xml?numrecs=51", 400)],
)
def test_it_refuses_in_the_first_version_what_it_refuses_today(
    client: Client, shop: Account, tail: str, status: int
) -> None:
    assert client.get(f"/api/{shop.customer_id}/{tail}").status_code == status
    assert client.get(f"/api/nobody/{tail}").status_code == 404


def test_it_takes_no_event_for_a_request_of_the_first_version(client: Client, shop: Account) -> None:
    Customer.objects.filter(customer_id=shop.customer_id).update(alphanumeric_items=True)
    answer = client.get(f"/api/{shop.customer_id}/click/me/38/a.json")
    assert answer.status_code in (200, 204, 400)  # the intake's answer
    assert b"recommendation" not in answer.content
