from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from pytest_django import DjangoAssertNumQueries
from wagtail.images.models import Image
from wagtail.models import Collection, Page

from content.items.types import item_type, item_types
from content.models import ArticlePage, ProductPage, ProductVariant
from content.pictures import image, rendition, tolerant
from tests.content.conftest import Magazine


def test_it_declares_the_three_item_types_with_their_numbers() -> None:
    numbers = {name: kind.id for name, kind in item_types().items()}
    assert numbers == numbers | {"place": 38, "article": 39, "product": 40}


def test_it_refuses_a_second_model_for_a_number() -> None:
    with pytest.raises(ValueError, match=r"clashes with 'place' \(id 38\)"):
        item_type("spot", id=38)(ProductPage)


def test_it_leaves_the_names_of_page_classes_to_the_sites_that_join() -> None:
    taken = {relation.get_accessor_name() for relation in Page._meta.related_objects}
    assert "content_articlepage" in taken
    assert taken.isdisjoint({"homepage", "folderpage", "articlepage", "placepage", "productpage"})


def test_it_copies_variants_and_tags_into_a_translation(magazine: Magazine) -> None:
    product = ProductPage(title="Lamp", price=Decimal("19.90"))
    product.variants = [ProductVariant(name="Red", sku="L-R", price=Decimal("19.90"), color="red")]
    magazine.shop.add_child(instance=product)
    product.tags.add("light")
    product.save()
    french = product.copy_for_translation(magazine.fr, copy_parents=True)
    assert [variant.sku for variant in french.variants.all()] == ["L-R"]
    assert french.variants.get().translation_key == product.variants.get().translation_key
    assert [str(tag) for tag in french.tags.all()] == ["light"]


def test_it_refuses_a_negative_price(magazine: Magazine) -> None:
    with pytest.raises(ValidationError):
        magazine.shop.add_child(instance=ProductPage(title="Lamp", price=Decimal(-1)))


def test_it_stores_a_body_of_blocks(magazine: Magazine) -> None:
    body = [("heading", "A title"), ("quote", {"text": "Go.", "source": "Ida"})]
    article = magazine.articles.add_child(instance=ArticlePage(title="Trains", body=body))
    again = ArticlePage.objects.get(pk=article.pk)
    assert [block.block_type for block in again.body] == ["heading", "quote"]


@pytest.mark.parametrize("fault", [OSError("image file is truncated"), SyntaxError("broken PNG file")])
def test_it_leaves_out_a_picture_that_cannot_be_read(fault: Exception) -> None:
    picture = Image(pk=1, title="Pier", collection=Collection(pk=1))

    def broken(*_args: object, **_attributes: object) -> str:
        raise fault

    assert tolerant(broken)(picture, "width-1200", alt="") == ""
    assert tolerant(lambda *_args: "<img>")(picture, "width-1200") == "<img>"


def test_it_asks_once_for_a_rendition_until_the_picture_changes(
    picture: Image, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    spec = "fill-300x100|format-jpeg"
    drawn = rendition(picture, spec=spec)
    same = Image.objects.get(pk=picture.pk)
    with django_assert_num_queries(0):
        again = rendition(same, spec=spec)
    assert again.url == drawn.url
    picture.focal_point_x = picture.focal_point_y = 10
    picture.focal_point_width = picture.focal_point_height = 20
    assert rendition(picture, spec=spec).url != drawn.url


def test_it_shows_the_text_of_a_picture_whose_file_is_gone(picture: Image) -> None:
    picture.file.storage.delete(picture.file.name)
    assert 'alt="Pier"' in image(picture, "width-123", alt="Pier")
    assert image(None, "width-123", alt="Pier") == ""
