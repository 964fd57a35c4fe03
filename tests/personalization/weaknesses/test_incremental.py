"""What an editor does in Wagtail, and exactly what each engine hears of it.

Reference `client-protocol.md` 3.2, corrected by 10.2. Two customers share one tree: 501 in English, 502 in
both languages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from taggit.models import Tag
from wagtail.images.models import Image
from wagtail.models import Page, PageViewRestriction

from config.jobs import outbox
from config.jobs.models import Outbox as OutboxRow
from content.items import types
from content.items.dirty import sweep
from content.items.types import item_type
from content.models import ArticlePage, FolderPage, PlacePage
from tests.content.conftest import Magazine, committed, stored
from tests.personalization.client.conftest import Engine

pytestmark = pytest.mark.django_db

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
    magazine: Magazine,
    engine: Engine,
    sites_file: Callable[[str], None],
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


def places(magazine: Magazine, count: int = 1, **fields: Any) -> list[PlacePage]:
    with committed():
        return [magazine.place(f"Place {number}", **fields) for number in range(count)]


def test_w17_whole_subtrees_are_announced(magazine: Magazine, heard: Callable[[], Heard]) -> None:
    # Brings it back: content/receivers.py:
    # `mark(NAME, keys, subtrees=[str(instance.pk)] if moved else [])` -> `mark(NAME, keys)`
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


def test_w15_every_child_is_announced(magazine: Magazine, heard: Callable[[], Heard]) -> None:
    # Brings it back: content/items/dirty.py: `for key in keys],` -> `for key in keys[:25]],`
    many = places(magazine, 60)
    assert heard() == both("UPDATE", *many)
    with committed():
        PageViewRestriction.objects.create(page=magazine.places, restriction_type="login")
    assert heard() == both("DELETE", *many)
    with committed():
        PageViewRestriction.objects.get().delete()
    assert heard() == both("UPDATE", *many)


def test_w44_what_has_another_visible_place_stays(magazine: Magazine, heard: Callable[[], Heard]) -> None:
    # Brings it back: content/items/pages.py:
    # `if place.pk in shown:` -> `if place.pk in shown and not place.is_alias:`
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
    magazine: Magazine,
    heard: Callable[[], Heard],
) -> None:
    # Brings it back: content/receivers.py:
    # `mark(NAME, relations.keys_linking_to([instance.pk]))` -> `mark(NAME, keys_of(instance.pk))`
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
    magazine: Magazine,
    heard: Callable[[], Heard],
) -> None:
    # Brings it back: content/receivers.py:
    # `signal.connect(_used_object_changed, dispatch_uid=f"{uid}.used")` -> `pass`
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
    magazine: Magazine,
    heard: Callable[[], Heard],
    engine: Engine,
) -> None:
    # Brings it back: personalization/client/receivers.py:
    # `for site, site_id in sites:` -> `for site, site_id in sites[:1]:`
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


def test_w13_an_engine_that_fails_costs_the_editor_nothing_and_no_news(
    magazine: Magazine, heard: Callable[[], Heard], engine: Engine
) -> None:
    """Case 9-71."""
    # Brings it back: personalization/client/gateway.py:
    # `retry = status >= 500 or status in (408, 425, 429)` -> `retry = False`
    engine.status = 500
    [place] = places(magazine)
    assert place.live
    outbox.deliver_due()
    waiting = OutboxRow.objects.all()
    assert {row.state for row in waiting} == {"queued"}
    assert all("answered 500" in row.error for row in waiting)
    engine.status = 202
    engine.received.clear()
    waiting.update(run_after=timezone.now())
    assert heard() == both("UPDATE", place)


def test_w14_no_editor_waits_for_an_engine(
    magazine: Magazine, heard: Callable[[], Heard], engine: Engine
) -> None:
    # Brings it back: personalization/client/receivers.py:
    # `queue(told, site=site, action=action)` ->
    # `queue(told, site=site, action=action); outbox.deliver_due()`
    engine.delay = 0.3
    [place] = places(magazine)
    with committed():
        place.save_revision().publish()
    assert not engine.received, "only the worker calls an engine"
    engine.delay = 0
    assert heard() == both("UPDATE", place), "changes before the delivery are one message"


def test_w16_a_deletion_is_told_in_every_language_it_had(
    magazine: Magazine, heard: Callable[[], Heard]
) -> None:
    # Brings it back: content/items/materialise.py:
    # `if key not in after and row.is_visible and row.remote_id not in failed` ->
    # `if key not in after and row.is_visible and any(other[2] == key[2] for other in after)`
    [place] = places(magazine)
    with committed():
        french = place.copy_for_translation(magazine.fr, copy_parents=True)
        french.save_revision().publish()
    heard()
    with committed():
        Page.objects.get(pk=french.pk).delete()
        Page.objects.get(pk=place.pk).delete()
    assert heard() == both("DELETE", place) | {("502", "DELETE", place.pk, FR)}


def test_w18_the_remote_id_stands_in_the_address_and_in_the_event(
    magazine: Magazine, engine: Engine, sites_file: Callable[[str], None]
) -> None:
    """Case 9-75."""
    # Brings it back: personalization/client/notify.py:
    # `"itemId": item_id,` -> `"itemId": payload["content_id"],`
    remote = "      repository: {{ content: {{ use_remote_id: true }} }}\n"
    sites_file(SITES.replace("      languages: [eng-GB]\n", f"      languages: [eng-GB]\n{remote}", 1))
    [place] = places(magazine)
    while outbox.deliver_due():
        pass
    told = {call.path.split("/")[2]: call.json["events"][0] for call in engine.received}
    assert told["501"]["itemId"] == str(place.translation_key)
    assert told["501"]["uri"].endswith(f"/content/remote-id/{place.translation_key}?lang=eng-GB")
    assert told["502"]["itemId"] == place.pk
    assert told["502"]["uri"].endswith(f"/content/id/{place.pk}?lang=eng-GB")


def test_w53_a_mapped_field_is_read_from_the_related_object(
    magazine: Magazine,
    heard: Callable[[], Heard],
    sites_file: Callable[[str], None],
    picture: Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Brings it back: content/items/scoped.py: `return value_of(specific, ` -> `return value_of(item, `
    monkeypatch.setattr(types, "_TYPES", dict(types._TYPES))
    item_type("picture", id=90, fields={"caption": "title"})(Image)
    relations = "      field: {{ relations: {{ place.image: picture.caption }} }}\n"
    sites_file(SITES.replace("    default:\n", f"    default:\n{relations}"))
    [place, bare] = places(magazine, 2)
    with committed():
        place.image = picture
        place.save_revision().publish()
    assert stored(place)["image"] == "Teal"
    assert stored(bare)["image"] is None
    heard()
    with committed():
        picture.title = "Petrol"
        picture.save()
    assert heard() == both("UPDATE", place)
    assert stored(place)["image"] == "Petrol"
