"""Items of the engine in the back office: browser, import history, lists of editors."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from personalization.server import editorial
from personalization.server.models import ImportRun, Model, StoredItem
from tests.personalization.screens.conftest import somebody
from tests.personalization.server import made
from tests.personalization.server.conftest import new_account

pytestmark = pytest.mark.django_db(databases="__all__")
ITEMS = "/admin/personalization/items/"


@pytest.fixture
def shop() -> str:
    """Four items and nothing that happened."""
    customer_id = new_account("Shop").customer_id
    items: dict[int | str, dict[str, Any]] = {n: {} for n in range(1, 4)}
    made.stored(customer_id, items | {9: {"name": "Blå ski", "nominal": {"color": "red"}}})
    return customer_id


@pytest.fixture
def chosen(shop: str) -> Model:
    made.model(shop, "editorial_list", identifier="chosen", build=False)
    return Model.objects.get(customer_id=shop, identifier="chosen")


def address(model: Model) -> str:
    return f"/admin/personalization/model/{model.pk}/list/"


def test_it_finds_items_by_id_text_and_attribute(shop: str, admin: Client) -> None:
    def found(text: str) -> list[bool]:
        page = admin.get(ITEMS, {"customer_id": shop, "q": text}).content.decode()
        return ["Place 2" in page, "Blå ski" in page]

    assert found("") == [True, True]
    assert found("2") != [False, False]
    assert found("place 2") == [True, False]
    assert found("Blå") == [False, True]
    assert found("color=red") == [False, True]
    assert found("color=re") == [False, False]


def test_it_shows_an_item_with_its_attributes_to_whom_may_see_it(shop: str, admin: Client) -> None:
    row = StoredItem.objects.get(customer_id=shop, item_id="9")
    path = f"{ITEMS}inspect/{row.pk}/"
    page = admin.get(path).content.decode()
    assert "color" in page
    assert "/1/2/95" in page
    assert somebody("view_storeditem").get(path).status_code == 200
    nobody = somebody("view_model")
    assert nobody.get(path).status_code in (302, 403)
    assert nobody.get(ITEMS).status_code in (302, 403)


def test_it_lists_imports_with_the_number_of_the_type(shop: str, admin: Client) -> None:
    ImportRun.objects.create(
        customer_id=shop, action="FULL", item_type=4711, type_name="Place", language="eng-GB", imported=44
    )
    assert ">4711<" in "".join(admin.get("/admin/personalization/imports/").content.decode().split())


def test_it_keeps_a_list_in_the_order_that_the_editor_gave(shop: str, chosen: Model, admin: Client) -> None:
    assert "The list is empty" in admin.get(address(chosen)).content.decode()
    sent = {"action": "save", "entry": ["38/3", "38/1", "38/77"]}
    assert admin.post(address(chosen), sent).status_code == 302
    assert editorial.stored(shop, "chosen") == [(38, "3", 3), (38, "1", 2), (38, "77", 1)]
    page = admin.get(address(chosen)).content.decode()
    assert page.index("Place 3") < page.index("Place 1")
    assert "not imported" in page
    assert admin.post(address(chosen), {"action": "save"}).status_code == 302
    assert editorial.stored(shop, "chosen") == []


def test_it_refuses_what_is_no_item_and_keeps_what_was_typed(shop: str, chosen: Model, admin: Client) -> None:
    for entry, words in (("place", "type/id"), ("38/", "item id"), ("0/1", "type/id"), ("38/a b", "item id")):
        answer = admin.post(address(chosen), {"action": "save", "entry": ["38/1", entry]})
        assert answer.status_code == 422, entry
        assert words in answer.content.decode(), entry
        assert "Place 1" in answer.content.decode()
    twice = admin.post(address(chosen), {"action": "save", "entry": ["38/1", "38/1"]})
    assert "2 times" in twice.content.decode()
    assert editorial.stored(shop, "chosen") is None


def test_it_takes_no_list_from_readers_nor_for_a_model_without_one(
    shop: str, chosen: Model, admin: Client
) -> None:
    reader = somebody("view_model")
    page = reader.get(address(chosen)).content.decode()
    assert "The list is empty" in page
    assert 'value="save"' not in page
    assert reader.post(address(chosen), {"action": "save", "entry": ["38/1"]}).status_code in (302, 403)
    made.model(shop, "popularity", signal="click", identifier="top", build=False)
    top = Model.objects.get(customer_id=shop, identifier="top")
    assert admin.get(address(top)).status_code == 404
    assert admin.post(address(top), {"action": "save", "entry": ["38/1"]}).status_code == 404
    assert editorial.stored(shop, "chosen") is None
