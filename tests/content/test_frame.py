"""What surrounds a page, and how an address leads to one."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries
from wagtail.models import Page, PageViewRestriction

from content import listings
from content.frame import crumbs, home_of, languages, location_path, menu
from content.models import FolderPage, HomePage, PlacePage
from tests.content.conftest import Magazine


def titles(pages: list[Page]) -> list[str]:
    return [page.title for page in pages]


@pytest.fixture
def asia(magazine: Magazine) -> FolderPage:
    for folder in (magazine.places, magazine.shop):
        folder.show_in_menus = True
        folder.save()
    magazine.places.refresh_from_db()
    return magazine.places.add_child(instance=FolderPage(title="Asia", locale=magazine.en))


def restrict(page: Page) -> None:
    PageViewRestriction.objects.create(page=page, restriction_type=PageViewRestriction.LOGIN)


def test_it_finds_all_of_a_frame_with_one_query(
    magazine: Magazine, asia: FolderPage, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    place = asia.add_child(instance=PlacePage(title="Kochin", locale=magazine.en))
    page = PlacePage.objects.get(pk=place.pk)
    with django_assert_num_queries(1):
        assert home_of(page).pk == magazine.home.pk
        assert titles(menu(page)) == ["Places", "Shop"]
        assert titles(crumbs(page)) == ["Lodestar", "Places", "Asia"]
    ids = (magazine.root.pk, magazine.home.pk, magazine.places.pk, asia.pk, page.pk)
    assert location_path(page) == "/" + "".join(f"{pk}/" for pk in ids)


def test_it_leaves_private_and_unpublished_pages_out_of_the_menu(
    magazine: Magazine, asia: FolderPage
) -> None:
    restrict(magazine.places)
    magazine.shop.unpublish()
    assert menu(HomePage.objects.get(pk=magazine.home.pk)) == []
    assert titles(crumbs(FolderPage.objects.get(pk=asia.pk))) == ["Lodestar", "Places"]


def test_it_leads_to_the_translation_or_else_to_that_home(magazine: Magazine, asia: FolderPage) -> None:
    def french(page: Page) -> list[str]:
        cache.clear()  # Wagtail keeps the homes of sites there, for up to an hour
        fresh = page.specific_class.objects.get(pk=page.pk)
        switch = languages(fresh, RequestFactory().get("/"))
        return [each.url for each in switch if each.code == "fr" and not each.current]

    assert french(asia) == []
    home = magazine.home.copy_for_translation(magazine.fr)
    home.save_revision().publish()
    assert french(asia) == ["/fr/"]
    copied = asia.copy_for_translation(magazine.fr, copy_parents=True)
    assert french(asia) == ["/fr/"]  # a draft is no translation yet
    copied.save_revision().publish()
    assert french(asia)[0].endswith("/asia/")
    restrict(home)
    assert french(asia) == []


def test_it_lists_nothing_from_below_a_private_page(magazine: Magazine, asia: FolderPage) -> None:
    asia.add_child(instance=PlacePage(title="Kochin", locale=magazine.en))
    top = FolderPage.objects.get(pk=magazine.places.pk)
    request = RequestFactory().get("/")
    assert titles(listings.cards(top, request).object_list) == ["Kochin"]
    assert titles(listings.latest(top, "place")) == ["Kochin"]
    restrict(asia)
    assert list(listings.cards(top, request).object_list) == []
    assert listings.latest(top, "place") == []
    assert listings.subfolders(top) == []


def test_it_lists_cards_with_as_many_queries_however_many_there_are(
    magazine: Magazine, asia: FolderPage, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    top = FolderPage.objects.get(pk=magazine.places.pk)
    asia.add_child(instance=PlacePage(title="Place", locale=magazine.en))
    assert listings.cards(top, RequestFactory().get("/")).object_list  # remembers the content types
    for number in range(1, 4):
        asia.add_child(instance=PlacePage(title=f"Place {number}", locale=magazine.en))
        with django_assert_num_queries(3):  # the number of cards, which they are, and one for their type
            sheet = listings.cards(top, RequestFactory().get("/"))
        assert len(sheet.object_list) == number + 1


@pytest.mark.django_db(databases="__all__")
def test_it_follows_an_address_of_any_depth(magazine: Magazine, asia: FolderPage) -> None:
    asia.add_child(instance=FolderPage(title="Asia", locale=magazine.en))
    client = Client(headers={"host": "localhost"})
    for path, status in {
        "/": 200,
        "/places/asia/": 200,
        "/places/asia/asia/": 200,
        "/asia/": 404,
        "/places/asia/places/": 404,
        "/places/asia/asia/asia/": 404,
    }.items():
        assert client.get(path).status_code == status, path
    asia.unpublish()
    assert client.get("/places/asia/").status_code == 404
    assert client.get("/places/asia/asia/").status_code == 200
