"""Products and content on their way to the platform: acceptance cases X07 and X17 of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from cdp import export
from cdp.export.items import Reader
from config import site_access
from content.items.complete import Complete
from content.items.record import Item
from content.items.types import item_types
from content.models import FolderPage, PlacePage, ProductPage, ProductVariant
from tests.cdp.export.conftest import CONTENT, PRODUCTS, Receiver, WriteSites, run
from tests.content.conftest import Magazine, committed, magazine

__all__ = ["magazine"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites", "processors")]
PUBLISHED = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.fixture
def place(magazine: Magazine) -> PlacePage:
    with committed():
        page = magazine.place(
            intro="<p>A port</p>",
            latitude=9.5,
            author="Ana",
            publication_date=PUBLISHED,
            first_published_at=PUBLISHED,
        )
        page.tags.add("Food", "India")
        page.save()
    return page


@pytest.fixture
def product(magazine: Magazine) -> ProductPage:
    with committed():
        folder = magazine.shop.add_child(instance=FolderPage(title="Tents", locale=magazine.en))
        page = ProductPage(title="Tent", sku="T-1", price=Decimal("99.50"), currency="EUR", color="green")
        page.variants = [
            ProductVariant(
                name="Tent, small", sku="T-1-S", price=Decimal("89"), size="S", locale=magazine.en
            ),
            ProductVariant(
                name="Tent, large", sku="T-1-L", price=Decimal("109"), size="L", locale=magazine.en
            ),
        ]
        folder.add_child(instance=page)
    return page


def translated(magazine: Magazine, page: Any, title: str) -> Any:
    with committed():
        copy = page.copy_for_translation(magazine.fr, copy_parents=True)
        copy.title = title
        copy.save_revision().publish()
    return copy


def test_it_sends_content_as_flat_rows(receiver: Receiver, magazine: Magazine, place: PlacePage) -> None:
    said = run("stream_content_data", "--content-type=place", "--no-draft")
    [request] = receiver.requests
    assert request.headers["x-streamid"] == CONTENT
    [row] = request.rows
    modified = row.pop("modified_at")
    assert datetime.fromisoformat(modified) > timezone.now() - timedelta(hours=1)
    assert {key: value for key, value in row.items() if not key.startswith("field_")} == {
        "content_id": place.pk,
        "content_type_identifier": "place",
        "main_language_code": "eng-GB",
        "language_code": "eng-GB",
        "name": "Kochin, India",
        "published_at": "2026-01-31T09:00:00+00:00",
        "author": "Ana",
        "location_path": f"/{magazine.root.pk}/{magazine.home.pk}/{magazine.places.pk}/{place.pk}/",
        "category_path": f"{magazine.places.pk}#Places",
        "url": "http://localhost:8000/places/kochin-india/",
    }
    assert row["field_latitude_id"] == f"{place.pk}-latitude"
    assert row["field_latitude_type"] == "float"
    assert row["field_latitude_language_code"] == "eng-GB"
    assert row["field_latitude_value"] == 9.5
    assert row["field_longitude_value"] is None
    assert row["field_intro_value"] == "<p>A port</p>\n"
    assert row["field_tags_value"] == "Food, India"
    assert row["field_publication_date_value"] == "2026-01-31T09:00:00+00:00"
    assert row["field_location_value"] == ""
    assert not any(isinstance(value, list | dict) for value in row.values())
    assert (said.code, said.out[-1]) == (0, "Sent 1 rows in 1 chunk(s), 0 skipped")


def test_it_sends_products_with_their_variants(
    receiver: Receiver, magazine: Magazine, product: ProductPage
) -> None:
    run("stream_product_data", "--product-type=product", "--no-draft", "--strict")
    assert receiver.requests[0].headers["x-streamid"] == PRODUCTS
    tent, small, large = receiver.rows
    assert (tent["product_code"], tent["is_variant"], tent["base_product_code"]) == ("T-1", False, "")
    assert (large["product_code"], large["is_variant"], large["base_product_code"]) == ("T-1-L", True, "T-1")
    assert (tent["price_eur"], small["price_eur"], large["price_eur"]) == (99.5, 89, 109)
    assert (tent["product_type"], tent["availability"], tent["stock"]) == ("product", True, None)
    assert (tent["name"], large["name"]) == ("Tent", "Tent, large")
    assert (large["field_size_value"], large["field_sku_value"]) == ("L", "T-1-L")
    assert tent["category_path"].split(";")[0] == f"{magazine.shop.pk}#Shop"
    assert tent["category_path"].endswith("#Tents")


def test_it_goes_on_between_the_variants_of_a_product(receiver: Receiver, product: ProductPage) -> None:
    receiver.answers = [(202, {}), (400, {})]
    options = ["--product-type=product", "--no-draft", "--chunk-size=2", "--run-id=" + "1" * 32]
    assert run("stream_product_data", *options).code == 1
    assert run("stream_product_data", *options).code == 0
    assert [row["product_code"] for row in receiver.rows] == ["T-1", "T-1-S", "T-1-L"]


def test_it_sends_each_item_once_in_the_first_language_it_has(
    receiver: Receiver, sites: WriteSites, magazine: Magazine, place: PlacePage
) -> None:
    translated(magazine, place, "Kochi, Inde")
    with committed():
        magazine.place("Only English")
    options = ["--content-type=place", "--no-draft"]
    run("stream_content_data", *options)
    sites("site_fr: {languages: [fre-FR, eng-GB]}")
    run("stream_content_data", *options)
    sites("site_fr: {languages: [fre-FR]}")
    run("stream_content_data", *options)
    told = [
        [(row["name"], row["language_code"], row["main_language_code"]) for row in one.rows]
        for one in receiver.requests
    ]
    assert told == [
        [("Kochin, India", "eng-GB", "eng-GB"), ("Only English", "eng-GB", "eng-GB")],
        [("Kochi, Inde", "fre-FR", "fre-FR"), ("Only English", "eng-GB", "eng-GB")],
        [("Kochi, Inde", "fre-FR", "fre-FR")],
    ]


def test_it_sends_only_what_changed(receiver: Receiver, magazine: Magazine, place: PlacePage) -> None:
    with committed():
        magazine.place("New one")
    Item.objects.filter(content_id=place.pk).update(updated_at=PUBLISHED)
    said = run("stream_content_data", "--content-type=place", "--no-draft", "--since=2026-02-01")
    assert [row["name"] for row in receiver.rows] == ["New one"]
    assert "a dataflow that overwrites its data would forget all other rows" in said.err


@pytest.mark.case("X07")
@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        (  # X07
            "stream_content_data",
            [],
            "--content-type is missing: one type per call, since each needs a stream of its own. Known are:",
        ),
        ("stream_product_data", [], "--product-type is missing"),
        (
            "stream_content_data",
            ["--content-type=artcle"],
            "--content-type: there is no content type 'artcle'. Did you mean 'article'?",
        ),
        (
            "stream_product_data",
            ["--product-type=produkt"],
            "there is no product type 'produkt'. Did you mean 'product'?",
        ),
        ("stream_product_data", ["--product-type=article"], "items of the type 'article' have no price"),
        ("stream_content_data", ["--content-type=article", "--since=soon"], "--since must be an ISO time"),
        ("stream_content_data", ["--content-type=article", "--since=2026-13-01"], "got '2026-13-01'"),
    ],
)
def test_it_says_which_option_is_wrong(
    receiver: Receiver, command: str, options: list[str], said: str
) -> None:
    found = run(command, *options)
    assert (found.code, receiver.requests) == (2, [])
    assert said in found.err


def test_it_says_that_a_root_is_none(sites: WriteSites, place: PlacePage) -> None:
    sites("site_en: {root: nowhere.example}")
    said = run("stream_content_data", "--content-type=place")
    assert said.code == 1
    assert "has root 'nowhere.example'" in said.err


def row_of(receiver: Receiver, *options: str) -> dict[str, Any]:
    run("stream_content_data", "--content-type=place", *options)
    return receiver.rows[0] if receiver.rows else {}


@pytest.mark.case("X17")
def test_x17_it_leaves_out_the_fields_of_a_type(receiver: Receiver, place: PlacePage) -> None:
    export.skip_field_type("richtext")
    row = row_of(receiver)
    assert [key for key in row if key.startswith(("field_intro", "field_description", "field_caption"))] == []
    assert "field_location_value" in row


def test_it_lets_the_first_processor_that_supports_a_field_have_it(
    receiver: Receiver, place: PlacePage
) -> None:
    @export.field_processor(field_types=["float"])
    def plain(field: export.Field) -> Mapping[str, Any]:
        return {"degrees": field.value}

    @export.field_processor(priority=5, supports=lambda field: field.identifier == "latitude")
    def rounded(field: export.Field) -> Mapping[str, Any]:
        return {"whole": int(field.value)}

    row = row_of(receiver)
    assert {key: row[key] for key in row if key.startswith("field_l") and "location" not in key} == {
        "field_latitude_whole": 9,
        "field_longitude_degrees": None,
    }


def test_it_gives_the_values_of_a_field_keys_of_their_own(receiver: Receiver, place: PlacePage) -> None:
    @export.field_value_processor(supports=lambda field: field.identifier == "latitude")
    def measure(field: export.Field) -> Mapping[str, Any]:
        return {"simple": field.value, "unit_symbol": "°", "unit_is_base": True}

    row = row_of(receiver)
    assert {key: row[key] for key in row if key.startswith("field_latitude_")} == {
        "field_latitude_id": f"{place.pk}-latitude",
        "field_latitude_type": "float",
        "field_latitude_language_code": "eng-GB",
        "field_latitude_value_simple": 9.5,
        "field_latitude_value_unit_symbol": "°",
        "field_latitude_value_unit_is_base": True,
    }


def test_it_sends_a_type_as_json_where_that_is_asked_for(receiver: Receiver, place: PlacePage) -> None:
    export.json_field_type("keywords")
    assert row_of(receiver)["field_tags_value"] == '["Food","India"]'


def test_it_drops_and_counts_what_is_no_single_value(receiver: Receiver, place: PlacePage) -> None:
    @export.field_processor(field_types=["float"])
    def several(field: export.Field) -> Mapping[str, Any]:
        return {"list": [1, 2], "value": 1}

    @export.field_processor(supports=lambda field: field.identifier == "rating")
    def broken(field: export.Field) -> Mapping[str, Any]:
        raise ValueError("no idea")

    said = run("stream_content_data", "--content-type=place")
    assert receiver.rows[0]["field_latitude_value"] == 1
    assert "field_latitude_list" not in receiver.rows[0]
    assert "2 values were left out: non_scalar." in said.err
    assert "1 values were left out: processor." in said.err
    said = run("stream_content_data", "--content-type=place", "--strict")
    assert said.code == 1
    assert f"Row {place.pk}: 'field_latitude_list': a list is no single value" in said.err


def test_it_counts_a_key_that_two_fields_have(magazine: Magazine) -> None:
    @export.field_processor(supports=lambda field: field.identifier == "size")
    def first(_field: export.Field) -> Mapping[str, Any]:
        return {"cm_value": 5}

    site = site_access.current_file().sites_with_cdp["site_en"]
    reader = Reader(kind=item_types()["place"], site=site, main_language="eng-GB")
    item = Complete(1, "eng-GB", "/a/", [], PUBLISHED, PUBLISHED, b"{}", ("eng-GB",))
    row = reader.fields(item, {"size": 1, "size_cm": 2})
    assert (row["field_size_cm_value"], reader.left_out) == (5, {"key_collision": 1})


def test_its_requests_for_names_of_categories_do_not_grow_with_the_items(
    receiver: Receiver, magazine: Magazine, place: PlacePage, django_assert_max_num_queries: Any
) -> None:
    with committed():
        for number in range(20):
            magazine.place(f"Place {number}")
    with django_assert_max_num_queries(16):
        run("stream_content_data", "--content-type=place", "--no-draft")
    assert len(receiver.rows) == 21
