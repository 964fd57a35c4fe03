"""What an editor does in Wagtail, and exactly what each engine hears of it.

Reference `client-protocol.md` 3.2, corrected by 10.2. Two customers share one tree: 501 in English, 502 in
both languages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from taggit.models import Tag
from wagtail.models import Page, PageViewRestriction

from config.jobs import outbox
from content.items.dirty import sweep
from content.models import ArticlePage, FolderPage, PlacePage
from tests.content.conftest import Magazine, committed, magazine
from tests.personalization.client.conftest import Engine, engine, sites_file

pytestmark = pytest.mark.django_db
__all__ = ["engine", "magazine", "sites_file"]  # fixtures

SITES = """
personalization:
  system:
    default:
      included_item_types: [place, article]
      host_uri: https://site.example
      api: {{ admin: {{ endpoint: "{engine}" }} }}
    english:
      languages: [eng-GB]
      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}
    shared:
      host_uri: https://shared.example
      languages: [eng-GB, fre-FR]
      authentication: {{ customer_id: 502, license_key: 2222-bbbb }}
"""
Heard = set[tuple[str, str, int, str]]  # customer, action, item, language
EN, FR = "eng-GB", "fre-FR"


@pytest.fixture
def heard(
    magazine: Magazine,  # noqa: F811
    engine: Engine,  # noqa: F811
    sites_file: Callable[[str], None],  # noqa: F811
) -> Callable[[], Heard]:
    """Has everything delivered; returns what both engines heard since the last call."""
    sites_file(SITES)

    def since() -> Heard:
        with committed():
            sweep()
        while outbox.deliver_due():
            pass
        events = [
            (call.path.split("/")[2], event) for call in engine.received for event in call.json["events"]
        ]
        found = [(who, one["action"], one["itemId"], one["lang"]) for who, one in events]
        assert len(found) == len(set(found)), "one message each"
        engine.received.clear()
        return set(found)

    return since


def both(action: str, *pages: Page) -> Heard:
    return {(who, action, page.pk, EN) for who in ("501", "502") for page in pages}


def places(magazine: Magazine, count: int = 1, **fields: Any) -> list[PlacePage]:  # noqa: F811
    with committed():
        return [magazine.place(f"Place {number}", **fields) for number in range(count)]


def test_w17_whole_subtrees_are_announced(magazine: Magazine, heard: Callable[[], Heard]) -> None:  # noqa: F811
    # Brings it back: content/receivers.py, _page_saved: `subtrees=[]`.
    with committed():
        deeper = magazine.places.add_child(instance=FolderPage(title="Deeper"))
        low = deeper.add_child(instance=PlacePage(title="Low"))
    [high] = places(magazine)
    heard()
    with committed():
        Page.objects.get(pk=magazine.places.pk).move(magazine.shop, pos="last-child")
    assert heard() == both("UPDATE", low, high)

    with committed():
        copy = FolderPage.objects.get(pk=magazine.places.pk).copy(
            recursive=True, to=magazine.home, update_attrs={"slug": "again"}
        )
    copies = PlacePage.objects.descendant_of(copy)
    assert len(copies) == 2
    assert heard() == both("UPDATE", *copies)

    with committed():
        Page.objects.get(pk=magazine.places.pk).delete()
    assert heard() == both("DELETE", low, high)


def test_w15_every_child_is_announced(magazine: Magazine, heard: Callable[[], Heard]) -> None:  # noqa: F811
    # Brings it back: content/items/dirty.py, _replace: `for key in keys[:25]`.
    many = places(magazine, 60)
    assert heard() == both("UPDATE", *many)
    with committed():
        PageViewRestriction.objects.create(page=magazine.places, restriction_type="login")
    assert heard() == both("DELETE", *many)
    with committed():
        PageViewRestriction.objects.get().delete()
    assert heard() == both("UPDATE", *many)


def test_w44_what_has_another_visible_place_stays(magazine: Magazine, heard: Callable[[], Heard]) -> None:  # noqa: F811
    # Brings it back: content/items/pages.py, fetch: `if place.pk in shown and not place.is_alias`.
    # Case 9-65 (no DELETE; its locations changed, so UPDATE) and case 9-67.
    [place, single] = places(magazine, 2)
    with committed():
        place.create_alias(parent=magazine.shop)
    heard()
    with committed():
        PageViewRestriction.objects.create(page=magazine.places, restriction_type="login")
    assert heard() == both("UPDATE", place) | both("DELETE", single)
    with committed():
        PageViewRestriction.objects.get().delete()
    assert heard() == both("UPDATE", place, single)


def test_w12_what_links_to_a_deleted_page_is_announced(
    magazine: Magazine,  # noqa: F811
    heard: Callable[[], Heard],
) -> None:
    # Brings it back: content/receivers.py, _page_about_to_go: mark keys_of(instance.pk) instead of the links.
    # Case 9-69.
    [target] = places(magazine)
    link = f'<p><a linktype="page" id="{target.pk}">There</a></p>'
    with committed():
        sources = [
            magazine.articles.add_child(instance=ArticlePage(title=title, intro=link)) for title in "AB"
        ]
    heard()
    with committed():
        target.slug = "elsewhere"
        target.save_revision().publish()
    assert heard() == both("UPDATE", target, *sources)
    with committed():
        Page.objects.get(pk=target.pk).delete()
    assert heard() == both("DELETE", target) | both("UPDATE", *sources)


def test_w43_removed_translations_and_renamed_tags_are_announced(
    magazine: Magazine,  # noqa: F811
    heard: Callable[[], Heard],
) -> None:
    # Brings it back: content/receivers.py, connect: leave out the line with `_used_object_changed`.
    [place] = places(magazine)
    with committed():
        french = place.copy_for_translation(magazine.fr, copy_parents=True)
        french.save_revision().publish()
    heard()
    with committed():
        PlacePage.objects.get(pk=french.pk).delete()
    assert heard() == {("502", "DELETE", place.pk, FR)}

    with committed():
        place.tags.add("coast")
        place.save()
    heard()
    with committed():
        tag = Tag.objects.get(name="coast")
        tag.name = "shore"
        tag.save()
    assert heard() == both("UPDATE", place)
    with committed():
        tag.delete()
    assert heard() == both("UPDATE", place)


def test_w45_each_site_hears_of_its_own_languages_with_its_own_address(
    magazine: Magazine,  # noqa: F811
    heard: Callable[[], Heard],
    engine: Engine,  # noqa: F811
) -> None:
    # Brings it back: personalization/client/receivers.py, queue_all: `for site, site_id in sites[:1]`.
    [place] = places(magazine)
    while outbox.deliver_due():
        pass
    told = {call.path: call.json["events"][0]["uri"].partition("/api")[0] for call in engine.received}
    assert told == {
        "/api/501/items": "https://site.example",
        "/api/502/items": "https://shared.example",
    }
    heard()
    with committed():
        place.copy_for_translation(magazine.fr, copy_parents=True).save_revision().publish()
    assert heard() == {("502", "UPDATE", place.pk, FR)}
