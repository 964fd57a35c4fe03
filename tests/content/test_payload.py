"""The bytes of an item are what reference `client-protocol.md` 4.4 and the seed's example show."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from django.contrib.auth.models import User
from django.core import checks
from wagtail.images.models import Image

from content.checks import item_type_fields
from content.items import payload, types
from content.items.record import Item
from content.models import ArticlePage, FolderPage, PlacePage, ProductPage, ProductVariant
from tests.content.conftest import Magazine, committed, stored

PUBLISHED = datetime(2015, 9, 17, 13, 23, 10, tzinfo=UTC)


def test_it_has_the_keys_of_the_reference_in_their_order(magazine: Magazine, picture: Image) -> None:
    with committed():
        place = magazine.place(
            intro="<p>We got the major port city.</p>",
            image=picture,
            caption="<p>Chinese fishing nets</p>",
            location="kochin, india",
            latitude=9.97,
            longitude=76.28,
            author="Sandip Patel",
            authors_position="Senior Editor",
            publication_date=datetime(2015, 9, 17, 14, 31, tzinfo=UTC),
            first_published_at=PUBLISHED,
        )
        place.tags.add("Kochin", "India")
        place.save()
    path = f"/{magazine.root.pk}/{magazine.home.pk}/{magazine.places.pk}/{place.pk}/"
    expected = {
        "_media-type": "application/vnd.ibexa.api.Content+json",
        "contentId": place.pk,
        "contentTypeId": 38,
        "identifier": "place",
        "language": "eng-GB",
        "publishedDate": "2015-09-17T13:23:10+00:00",
        "author": "Sandip Patel",
        "uri": "/places/kochin-india/",
        "categoryPath": path,
        "mainLocation": {
            "_media-type": "application/vnd.ibexa.api.mainLocation+json",
            "_href": f"/api/ezp/v2/content/locations{path}",
        },
        "locations": {
            "_media-type": "application/vnd.ibexa.api.locations+json",
            "_href": f"/api/ezp/v2/content/objects/{place.pk}/locations",
        },
        "name": "Kochin, India",
        "intro": "<p>We got the major port city.</p>\n",
        "description": "\n",
        "image": picture.renditions.get().url,
        "caption": "<p>Chinese fishing nets</p>\n",
        "location": "kochin, india",
        "latitude": 9.97,
        "longitude": 76.28,
        "authors_position": "Senior Editor",
        "tags": ["India", "Kochin"],
        "rating": 0,
        "publication_date": "1442500260",
        "metas": "",
    }
    written = stored(place)
    assert written == expected
    assert list(written) == list(expected)


def test_it_carries_variants_of_a_product(magazine: Magazine) -> None:
    product = ProductPage(title="Lamp", price=Decimal("19.90"), sku="L")
    product.variants = [ProductVariant(name="Red", sku="L-R", price=Decimal("21.50"), color="red")]
    with committed():
        magazine.shop.add_child(instance=product)
    item = stored(product)
    assert (item["price"], item["currency"]) == (19.9, "EUR")
    assert item["variants"] == [{"name": "Red", "sku": "L-R", "price": 21.5, "color": "red", "size": ""}]


def test_it_renders_the_blocks_of_a_body(magazine: Magazine) -> None:
    body = [("heading", "Rail & road"), ("paragraph", "<p>Go.</p>"), ("quote", {"text": "<b>", "source": ""})]
    with committed():
        article = magazine.articles.add_child(instance=ArticlePage(title="Trains", body=body))
    assert stored(article)["body"] == (
        "<h2>Rail &amp; road</h2><p>Go.</p><blockquote>&lt;b&gt;</blockquote>\n"
    )


def test_it_names_the_owner_where_no_author_is_written(magazine: Magazine) -> None:
    owner = User.objects.create(username="ida", first_name="Ida", last_name="Lind")
    with committed():
        place = magazine.place(owner=owner)
    assert stored(place)["author"] == "Ida Lind"


def test_it_keeps_the_time_of_the_first_row_without_a_publication_date(magazine: Magazine) -> None:
    with committed():
        place = magazine.place()
    first = stored(place)["publishedDate"]
    Item.objects.update(published_at=datetime(2020, 1, 1, tzinfo=UTC))
    with committed():
        place.save()
    assert first != "2020-01-01T00:00:00+00:00"
    assert stored(place)["publishedDate"] == "2020-01-01T00:00:00+00:00"


def test_it_isolates_an_unreadable_picture(
    magazine: Magazine, picture: Image, caplog: pytest.LogCaptureFixture
) -> None:
    picture.file.storage.delete(picture.file.name)
    logger = logging.getLogger("personalization")
    logger.addHandler(caplog.handler)
    with committed():
        place = magazine.place(image=picture, location="Kochi")
    logger.removeHandler(caplog.handler)
    assert (stored(place)["image"], stored(place)["location"]) == (None, "Kochi")
    assert f"Unable to fetch field content for contentId {place.pk}, field place:image" in caplog.text


def test_it_puts_the_remote_id_in_the_place_of_the_number(magazine: Magazine) -> None:
    with committed():
        place = magazine.place()
    row = Item.objects.get()
    swapped = payload.with_remote_id(bytes(row.payload), content_id=row.content_id, remote_id=row.remote_id)
    assert orjson.loads(swapped) == stored(place) | {"contentId": str(place.translation_key)}


def test_it_never_lets_a_field_overwrite_a_key_of_the_item(
    magazine: Magazine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(types, "_TYPES", dict(types._TYPES))
    types.item_type("folder", id=7, fields={"uri": "title", "gone": "missing"})(FolderPage)
    found = {(message.id, message.level) for message in item_type_fields()}
    assert found == {("content.W001", checks.WARNING), ("content.E001", checks.ERROR)}
    with committed():
        magazine.shop.save()
    item = stored(magazine.shop)
    assert (item["uri"], item["field_uri"], item["gone"]) == ("/shop/", "Shop", None)


def test_it_exports_the_title_and_own_fields_of_a_type_without_a_map(
    magazine: Magazine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(types, "_TYPES", dict(types._TYPES))
    types.item_type("folder", id=7)(FolderPage)
    with committed():
        magazine.shop.save()
    exported = stored(magazine.shop)
    assert list(exported)[len(payload.SYSTEM_KEYS) :] == ["title", "intro", "image"]
    assert exported["title"] == magazine.shop.title


def test_it_loads_many_pages_with_few_queries(
    magazine: Magazine, django_assert_max_num_queries: object
) -> None:
    from content.items.materialise import materialise
    from content.items.pages import WagtailPageSource

    keys = [str(magazine.place(f"Place {number}").translation_key) for number in range(10)]
    materialise(WagtailPageSource(), keys)
    PlacePage.objects.update(location="elsewhere")
    with django_assert_max_num_queries(24):  # however many pages
        materialise(WagtailPageSource(), keys)
    assert Item.objects.count() == 10
