"""The item API's other half: items, transfers and editorial lists as XML, from the request to the answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from defusedxml import ElementTree
from django.test import Client

from personalization.server import editorial
from personalization.server.models import EditorialList, ImportRun, ItemTransfer, Scenario, StoredItem
from tests.personalization.server import made
from tests.personalization.server.conftest import Account, new_account
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

# Every element of engine-protocol.md 2.2.
WHOLE = """<?xml version="1.0" encoding="UTF-8"?>
<items version="1">
  <item id="102" type="1" lang="ger-DE">
    <description>the description of item #102</description>
    <price currency="EUR">123</price>
    <validfrom>2011-01-01T00:00:00</validfrom>
    <validto>2021-01-01T00:00:00</validto>
    <categorypaths>
      <categorypath>/2/3/16/52</categorypath>
      <categorypath>/1/9/4/</categorypath>
    </categorypaths>
    <content>
      <content-data key="title">Ümläut &amp; more</content-data>
      <content-data key="abstract"><![CDATA[A <b>text</b> ]]]]><![CDATA[> of two parts]]></content-data>
    </content>
    <attributes>
      <attribute key="size" value="40.5" type="NUMERIC"/>
      <attribute key="size" value="L" type="NOMINAL"/>
      <attribute key="color" value="green"/>
      <attribute key="width" value="broad" type="NUMERIC"/>
      <attribute key="not a key" value="x"/>
    </attributes>
    <imageurls><imageurl type="preview">https://shop.example/102.jpg</imageurl></imageurls>
    <deeplinkurl>https://shop.example/102</deeplinkurl>
  </item>
  <item id="103" type="1"/>
  <item id="7" type="2"><price currency="JPY">12</price></item>
  <item id="8" type="2"><price currency="TND">12345</price></item>
</items>"""


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    made.forget()


def post(client: Client, account: Account, tail: str, document: str | bytes, **extra: Any) -> Any:
    headers = extra.pop("headers", account.headers)
    url = f"/api/{account.customer_id}/{tail}"
    return client.post(url, document, content_type="text/xml", headers=headers)


def get(client: Client, account: Account, tail: str) -> Any:
    return client.get(f"/api/{account.customer_id}/{tail}", headers=account.headers)


def test_it_stores_everything_of_an_item(client: Client, account: Account) -> None:
    answer = post(client, account, "item", WHOLE)
    assert answer.status_code == 202
    row = StoredItem.objects.get(item_id="102")
    assert (row.item_type, row.language, row.description) == (1, "ger-DE", "the description of item #102")
    assert (row.price, row.currency) == (Decimal("1.23"), "EUR")
    assert row.valid_from == datetime(2011, 1, 1, tzinfo=UTC)
    assert row.category_paths == ["2/3/16/52", "1/9/4"]
    assert row.content == [["title", "Ümläut & more"], ["abstract", "A <b>text</b> ]]> of two parts"]]
    assert row.attributes == [
        ["size", "NUMERIC", "40.5"],
        ["size", "NOMINAL", "L"],
        ["color", "NOMINAL", "green"],
    ]
    assert row.uri == "https://shop.example/102"
    prices = dict(StoredItem.objects.filter(item_type=2).values_list("item_id", "price"))
    assert prices == {"7": Decimal(12), "8": Decimal("12.345")}


def test_it_shows_each_type_and_language_in_the_import_history(client: Client, account: Account) -> None:
    post(client, account, "item", WHOLE)
    runs = ImportRun.objects.order_by("item_type", "language")
    assert [(run.action, run.item_type, run.language, run.imported, run.status) for run in runs] == [
        ("PUSH", 1, "", 1, "done"),
        ("PUSH", 1, "ger-DE", 1, "done"),
        ("PUSH", 2, "", 2, "done"),
    ]


def test_it_gives_back_what_it_took(client: Client, account: Account) -> None:
    post(client, account, "item", WHOLE)
    first = get(client, account, "item/1/102").content
    again = post(client, account, "item", first.replace(b".000<", b"<"))
    assert again.status_code == 202, again.content
    root = ElementTree.fromstring(first)
    [item] = root
    assert item.find("price").text == "123"
    assert item.find("validfrom").text == "2011-01-01T00:00:00.000"
    assert [one.text for one in item.iterfind("content/content-data")][1] == "A <b>text</b> ]]> of two parts"


def test_it_replaces_all_parts_of_an_item(client: Client, account: Account) -> None:
    post(client, account, "item", WHOLE)
    post(client, account, "item", '<items version="1"><item id="102" type="1" lang="ger-DE"/></items>')
    row = StoredItem.objects.get(item_id="102")
    assert (row.price, row.attributes, row.content, row.description, row.category_paths) == (
        None,
        [],
        [],
        "",
        [],
    )


def test_it_reads_times_in_the_zone_of_the_account(client: Client, account: Account, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    post(client, account, "item", WHOLE)
    assert StoredItem.objects.get(item_id="102").valid_from == datetime(2010, 12, 31, 23, tzinfo=UTC)
    assert b"<validfrom>2011-01-01T00:00:00.000<" in get(client, account, "item/1/102").content


def items(inner: str, version: str = "1") -> str:
    return f'<items version="{version}">{inner}</items>'


BACKSLASH = "<categorypath>a\\b</categorypath>"
UNTYPED = '<attribute key="a" value="b" type="X"/>'


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("no xml", "no XML"),
        ("<items version='1'>", "no XML"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><items version='1'>&a;</items>", "no XML"),
        ("<!DOCTYPE items SYSTEM 'file:///etc/passwd'><items version='1'/>", "no XML"),
        ("<users/>", "must be items"),
        ("<items/>", 'version="1"'),
        (items("", "2"), 'version="1"'),
        (items("<thing/>"), "Item 1: inside items stand item elements"),
        (items('<item id="1" type="1"/><item type="1"/>'), "Item 2: id"),
        (items('<item id="1"/>'), "Item 1: type must be a whole number"),
        (items('<item id="1" type="0"/>'), "from 1 to 2147483647"),
        (items('<item id="2147483648" type="1"/>'), "2147483647"),
        (items('<item id="A-7" type="1"/>'), "Item 1: id"),
        (items('<item id="1" type="1" lang="german"/>'), "eng-GB"),
        (items('<item id="1" type="1"><price>1.20</price></item>'), "smallest unit of EUR"),
        (items('<item id="1" type="1"><price currency="euro">1</price></item>'), "three capital letters"),
        (items('<item id="1" type="1"><validfrom>tomorrow</validfrom></item>'), "without a zone"),
        (items('<item id="1" type="1"><validto>2011-01-01T00:00:00Z</validto></item>'), "without a zone"),
        (items('<item id="1" type="1"><validto>2011-02-30T00:00:00</validto></item>'), "without a zone"),
        (
            items(f'<item id="1" type="1"><categorypaths>{BACKSLASH}</categorypaths></item>'),
            "backslash",
        ),
        (items('<item id="1" type="1"><colour>red</colour></item>'), "'colour' is unknown"),
        (
            items(f'<item id="1" type="1"><attributes>{UNTYPED}</attributes></item>'),
            "NOMINAL, NUMERIC",
        ),
    ],
)
def test_it_takes_nothing_of_a_document_with_a_fault(
    client: Client, account: Account, document: str, words: str
) -> None:
    answer = post(client, account, "item", document)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not StoredItem.objects.exists()
    assert not ImportRun.objects.exists()


def test_it_takes_alphanumeric_ids_where_the_account_has_them(client: Client) -> None:
    account = new_account("Shop", alphanumeric=True)
    assert post(client, account, "item", items('<item id="SKU-7" type="1"/>')).status_code == 202
    assert get(client, account, "item/1/SKU-7").status_code == 200


@pytest.mark.parametrize("tail", ["item", "transferitems", "editoriallist"])
def test_it_asks_for_the_license_key_and_limits_the_size(client: Client, account: Account, tail: str) -> None:
    other = new_account("Other")
    assert post(client, account, tail, WHOLE, headers={}).status_code == 401
    assert post(client, account, tail, WHOLE, headers=other.headers).status_code == 401
    assert post(client, account, tail, b"x" * (5 * 1024 * 1024 + 1)).status_code == 413
    assert client.put(f"/api/{account.customer_id}/{tail}", headers=account.headers).status_code == 405


def test_it_hands_out_a_schema_that_names_every_element(client: Client) -> None:
    answer = client.get("/api/00000/item/schema.xsd")
    assert answer.status_code == 200
    root = ElementTree.fromstring(answer.content)
    names = {one.get("name") for one in root.iter("{http://www.w3.org/2001/XMLSchema}element")}
    used = {one.tag for one in ElementTree.fromstring(WHOLE.encode()).iter()}
    assert used <= names
    assert client.post("/api/00000/item/schema.xsd").status_code == 405


def transfer(*pairs: tuple[int, int]) -> str:
    inner = "".join(
        f'<transfer><sourceitem id="{source}" type="38"/><targetitem id="{target}" type="38"/></transfer>'
        for source, target in pairs
    )
    return f"<transfers>{inner}</transfers>"


def test_it_counts_the_events_of_a_transferred_item_for_its_target(client: Client, account: Account) -> None:
    customer = account.customer_id
    made.stored(customer, {1: {}, 2: {}, 3: {}})
    made.happened(customer, [one for n in range(3) for one in did("click", f"u{n}", 1, days=2)])
    made.happened(customer, [one for n in range(2) for one in did("click", f"v{n}", 3, days=2)])
    made.happened(customer, did("buy", "me", 1, days=2))
    assert post(client, account, "transferitems", transfer((1, 2))).status_code == 202
    made.model(customer, "popularity", signal="click")
    made.scenario(customer, "made")
    assert made.listed(customer) == ["2", "3"]
    assert not StoredItem.objects.filter(item_id="1").exists()
    made.scenario(customer, "made", filters={"exclude_purchased": True})
    assert made.listed(customer, user="me") == ["3"]


def test_it_follows_transfers_of_transfers_and_back(client: Client, account: Account) -> None:
    customer = account.customer_id
    made.stored(customer, {1: {}, 2: {}, 3: {}})
    made.happened(customer, did("click", "u", 1, days=2))
    for pair in ((1, 2), (2, 3), (3, 1)):
        assert post(client, account, "transferitems", transfer(pair)).status_code == 202
    made.stored(customer, {1: {}})
    made.model(customer, "popularity", signal="click")
    made.scenario(customer, "made")
    assert made.listed(customer) == ["1"]


@pytest.mark.parametrize(
    "document",
    [
        transfer((1, 1)),
        "<transfers><transfer/></transfers>",
        "<transfers><move/></transfers>",
        transfer((0, 1)),
        transfer((1, 2)).replace("38", "x"),
    ],
)
def test_it_transfers_nothing_of_a_document_with_a_fault(
    client: Client, account: Account, document: str
) -> None:
    whole = transfer((1, 2)).replace("</transfers>", document.removeprefix("<transfers>"))
    assert post(client, account, "transferitems", whole).status_code == 400
    assert not ItemTransfer.objects.exists()


LIST = """<editoriallist version="1" referencecode="made">
<listitem itemid="7" itemtype="38"/><listitem itemid="2" itemtype="38" relevance="5"/></editoriallist>"""


def test_it_recommends_an_editorial_list(client: Client, account: Account) -> None:
    customer = account.customer_id
    made.stored(customer, {2: {}, 7: {}})
    assert post(client, account, "editoriallist", LIST).status_code == 202
    made.model(customer, "editorial_list", build=False)
    made.scenario(customer, "made")
    assert made.listed(customer) == ["2", "7"]
    shown = ElementTree.fromstring(get(client, account, "editoriallist/made").content)
    assert [dict(one.attrib) for one in shown] == [
        {"itemid": "2", "itemtype": "38", "relevance": "5"},
        {"itemid": "7", "itemtype": "38", "relevance": "1"},
    ]
    url = f"/ebl/{customer}/editoriallist/made"
    assert client.delete(url, headers=account.headers).status_code == 202
    assert client.delete(url, headers=account.headers).status_code == 404
    assert get(client, account, "editoriallist/made").status_code == 404
    assert made.listed(customer) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('itemid="2"', 'itemid="7"', "stands in the list 2 times"),
        ('itemid="2"', 'itemid="x"', "List item 2"),
        ('relevance="5"', 'relevance="-1"', "natural number"),
        ('itemtype="38"', 'itemtype="z"', "whole number"),
        ("listitem itemid", "li itemid", "must be a listitem"),
        ('version="1"', "", 'version="1"'),
        ('referencecode="made"', 'referencecode="a b"', "referencecode"),
    ],
)
def test_it_stores_nothing_of_a_list_with_a_fault(
    client: Client, account: Account, old: str, new: str, words: str
) -> None:
    answer = post(client, account, "editoriallist", LIST.replace(old, new))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert get(client, account, "editoriallist/made").status_code == 404


def test_a_list_that_changed_is_not_answered_from_caches(client: Client, account: Account) -> None:
    customer = account.customer_id
    made.stored(customer, {2: {}, 7: {}})
    made.model(customer, "editorial_list", build=False)
    made.scenario(customer, "made")
    editorial.replace(customer, "made", [(38, "2", 1)])
    EditorialList.objects.update(updated_at=datetime.now(UTC) + timedelta(hours=-1))
    ImportRun.objects.all().delete()
    Scenario.objects.update(updated_at=datetime.now(UTC) + timedelta(hours=-2))
    made.forget()
    url = f"/api/v2/{customer}/me/made.json"
    first = client.get(url)
    again = {"If-Modified-Since": first["Last-Modified"]}
    assert client.get(url, headers=again).status_code == 304
    editorial.replace(customer, "made", [(38, "7", 1)])
    made.forget()
    answer = client.get(url, headers=again)
    assert answer.status_code == 200
    assert answer.json()["recommendationItems"][0]["itemId"] == 7
    EditorialList.objects.update(updated_at=datetime.now(UTC) + timedelta(hours=-1))
    editorial.forget()
    assert client.get(url, headers=again).status_code == 304
    assert editorial.remove(customer, "made")
    made.forget()
    answer = client.get(url, headers=again)
    assert answer.status_code == 200
    assert answer.json()["recommendationItems"] == []
