"""Pages that show a field of another page."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from pytest_django import DjangoAssertNumQueries
from wagtail.models import Page

from config.site_access import SiteAccess
from content.items import relations
from content.items.scoped import Scopes, author_of
from content.items.types import item_types
from content.models import PlacePage
from tests.content.conftest import Magazine

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(magazine: Magazine, monkeypatch: pytest.MonkeyPatch) -> tuple[PlacePage, PlacePage]:
    """A page and one that refers to it, by a relation that Wagtail has itself: the demo's types have none."""
    field = Page._meta.get_field("alias_of")
    monkeypatch.setattr(relations, "_relations", lambda: iter([(PlacePage, field)]))
    shown = magazine.place("Shown")
    return shown, PlacePage.objects.get(pk=shown.create_alias(parent=magazine.shop).pk)


def test_a_page_saved_as_plain_page_reaches_those_that_show_it(pair: tuple[PlacePage, PlacePage]) -> None:
    shown, showing = pair
    keys = {str(showing.translation_key), str(shown.translation_key)}
    assert relations.keys_declaring(shown) == keys
    assert relations.keys_declaring(Page.objects.get(pk=shown.pk)) == keys
    assert relations.keys_declaring(Page.objects.get(pk=showing.pk)) == set()


def test_privacy_reaches_those_that_show_a_page_below(
    pair: tuple[PlacePage, PlacePage], magazine: Magazine
) -> None:
    shown, showing = pair
    keys = {str(showing.translation_key), str(shown.translation_key)}
    assert relations.keys_declaring_below(Page.objects.get(pk=magazine.places.pk)) == keys
    assert relations.keys_declaring_below(Page.objects.get(pk=magazine.articles.pk)) == set()


def test_the_default_author_is_read_once_for_a_batch(
    magazine: Magazine, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    editor = get_user_model().objects.create_user("ana", first_name="Ana", last_name="Reis")
    site = SiteAccess(
        name="s", site_name="S", host_uri="", customer_id=1, license_key="k", author_id=editor.pk
    )
    kind, page, scopes = item_types()["place"], magazine.place(), Scopes()
    with django_assert_num_queries(1):
        names = [author_of(page, kind, site=site, scopes=scopes) for _ in range(3)]
    assert names == ["Ana Reis"] * 3
