"""The demo site: its data, its pictures, its pages in both languages."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client, override_settings
from django.utils import translation
from wagtail.models import Page, Site

from content.demo import build, catalogue, pictures, tastes
from content.models import ArticlePage, FolderPage, HomePage, PlacePage, ProductPage

# Pages ask the engine for recommendations, which reads the visitor's events.
pytestmark = pytest.mark.django_db(databases="__all__")

TEMPLATES = Path("templates")
KINDS = (PlacePage, ArticlePage, ProductPage)


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker, tmp_path_factory):
    """The whole demo site, built once for this file and rolled back after it."""
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=str(media)), transaction.atomic():
        build.build()
        yield
        transaction.set_rollback(True)
    cache.clear()  # Wagtail keeps the addresses of sites there


@pytest.fixture
def demo(built, db):
    cache.clear()


def pages_of_both_languages():
    """Every home and category, and every sixth entry: all templates, languages and odd lengths."""
    pages = Page.objects.filter(depth__gte=2).order_by("path")
    folders = pages.exact_type(HomePage, FolderPage)
    entries = pages.exact_type(*KINDS)
    return [page.specific for page in (*folders, *entries[::6])]


@pytest.mark.parametrize("kind", ["place", "article", "product"])
def test_it_has_at_least_twenty_entries_of_each_type_in_both_languages(kind):
    entries = [entry for entry in catalogue.entries() if entry.kind == kind]
    assert len(entries) >= 20
    for language in catalogue.LANGUAGES:
        titles = {entry.texts[language].title for entry in entries}
        assert len(titles) == len(entries)
        assert all(len(entry.texts[language].body) >= 2 for entry in entries)


def test_it_names_every_tag_and_colour_in_both_languages():
    for entry in catalogue.entries():
        for language in catalogue.LANGUAGES:
            assert all(catalogue.tag_name(tag, language) for tag in entry.tags)
            assert all(catalogue.colour_name(each.colour, language) for each in entry.variants if each.colour)


def test_it_draws_another_picture_for_every_entry():
    described = Counter(entry.picture for entry in catalogue.entries())
    assert len(described) > 70
    first = pictures.draw("harbour sunset", seed="kochi")
    assert first.size == (1200, 800)
    assert first.tobytes() == pictures.draw("harbour sunset", seed="kochi").tobytes()
    assert first.tobytes() != pictures.draw("harbour sunset", seed="valencia").tobytes()


def test_it_names_the_choice_when_a_picture_is_unknown():
    with pytest.raises(pictures.UnknownPicture, match='no picture "castle sunset".*harbour'):
        pictures.draw("castle sunset", seed="1")


def test_it_gives_every_taste_items_of_its_own():
    favourites = {
        taste.name: set(sorted(tastes.affinities(taste), key=tastes.affinities(taste).get)[-10:])
        for taste in tastes.TASTES
    }
    assert sum(taste.share for taste in tastes.TASTES) == pytest.approx(1)
    for name, own in favourites.items():
        assert all(len(own & other) <= 5 for other_name, other in favourites.items() if other_name != name)


def test_it_builds_every_entry_in_both_languages(demo):
    assert HomePage.objects.count() == 2
    assert Site.objects.get().root_page.specific.locale.language_code == "en"
    for model, kind in zip(KINDS, ("place", "article", "product"), strict=True):
        promised = sum(entry.kind == kind for entry in catalogue.entries())
        for language in catalogue.LANGUAGES:
            assert model.objects.live().filter(locale__language_code=language).count() == promised


def test_it_joins_the_translations_by_their_key(demo):
    english = PlacePage.objects.get(slug="kochin-india")
    assert english.title == "Kochin, India"
    assert english.get_translation(english.get_translations().get().locale).title == "Kochin, Inde"


def test_it_spreads_publication_over_the_past_year(demo):
    dates = sorted(PlacePage.objects.values_list("first_published_at", flat=True))
    assert (dates[-1] - dates[0]).days > 250


def test_it_keeps_what_is_there_when_built_again(demo):
    before = list(Page.objects.order_by("pk").values_list("pk", "title"))
    build.build()
    assert list(Page.objects.order_by("pk").values_list("pk", "title")) == before


def test_it_answers_every_page_without_foreign_hosts_and_with_alternative_texts(demo):
    client = Client()
    for page in pages_of_both_languages():
        answer = client.get(page.get_url())
        html = answer.content.decode()
        assert answer.status_code == 200, page.title
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', html), page.title
        assert all('alt="' in image for image in re.findall(r"<img[^>]*>", html)), page.title
        assert f'<html lang="{page.locale.language_code}"' in html
        assert html.count("<h1") == 1
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)


def test_it_links_the_translation_of_the_page_itself(demo):
    html = Client().get(PlacePage.objects.get(slug="kochin-india").get_url()).content.decode()
    assert 'href="/fr/lieux-saveurs/lieux/asie/kochin-inde/"' in html


def test_it_shows_the_nearest_sheet_of_a_category_for_any_number(demo):
    client = Client()
    for number in ("0", "999", "x", "-1", "2"):
        assert client.get("/places-tastes/places/", {"page": number}).status_code == 200


def test_it_serves_a_404_page_with_a_way_out(demo, settings):
    settings.DEBUG = False
    answer = Client().get("/fr/nulle-part/")
    assert answer.status_code == 404
    assert "Retour à l’accueil" in answer.content.decode()


def test_it_translates_every_text_of_the_templates_into_french():
    texts = set()
    for path in TEMPLATES.rglob("*.html"):
        if "lodestar" not in path.parts:
            source = path.read_text()
            texts |= set(re.findall(r'_\("([^"]+)"', source)) | set(re.findall(r"_\('([^']+)'", source))
    with translation.override("fr"):
        same = {text for text in texts if translation.gettext(text) == text}
    assert same <= {"Position", "Pages", "N", "S", "E"}
