"""The behaviour that every item source must show: pages, and a plain Django model that joins."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import orjson
import pytest
from django.contrib.auth.models import Group
from django.db.models.signals import post_delete, post_save

from content.items import sources, types
from content.items.dirty import mark, sweep
from content.items.materialise import materialise
from content.items.numbers import FIRST_FREE
from content.items.pages import WagtailPageSource
from content.items.rebuild import rebuild
from content.items.record import ContentId, DirtyItem, Item
from content.items.sources import ItemSource, SourceItem
from tests.content.conftest import Magazine, News, committed


class ClubSource:
    """Clubs of a shop without pages; Django's groups stand in for its table."""

    name = "clubs"

    def __init__(self, site_id: int) -> None:
        self.site_id = site_id

    def item_types(self) -> Collection[str]:
        return ["club"]

    def count(self, item_types: Collection[str]) -> int:
        return Group.objects.count() if "club" in item_types else 0

    def keys(self, item_types: Collection[str]) -> Iterator[str]:
        if "club" in item_types:
            for pk in Group.objects.order_by("pk").values_list("pk", flat=True).iterator():
                yield f"club-{pk}"

    def numbers(self, keys: Collection[str]) -> dict[str, int | None]:
        return dict.fromkeys((f"club-{group.pk}" for group in self._groups(keys)), None)

    def prepare(self, keys: Collection[str]) -> None:
        pass

    def fetch(self, keys: Collection[str]) -> list[SourceItem]:
        return [
            SourceItem(
                item_type=types.item_types()["club"],
                key=f"club-{group.pk}",
                site_id=self.site_id,
                language="eng-GB",
                uri=f"/clubs/{group.pk}/",
                category_paths=["/clubs/"],
                author="",
                published_at=None,
                instance=group,
            )
            for group in self._groups(keys)
            if not group.name.startswith("secret")
        ]

    def below(self, key: str) -> Iterator[str]:
        return iter(())

    def _groups(self, keys: Collection[str]) -> list[Group]:
        return list(Group.objects.filter(pk__in=[key.removeprefix("club-") for key in keys]))


@pytest.fixture
def clubs(magazine: Magazine, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClubSource]:
    monkeypatch.setattr(types, "_TYPES", dict(types._TYPES))
    types.item_type("club", id=50, fields={"title": "name"})(Group)
    Group.objects.all().delete()  # Wagtail's editors and moderators are no clubs
    source = ClubSource(magazine.site.pk)
    sources.register(source)

    def changed(instance: Group, **_: object) -> None:
        mark("clubs", [f"club-{instance.pk}"])

    for signal in (post_save, post_delete):
        signal.connect(changed, sender=Group)
    yield source
    for signal in (post_save, post_delete):
        signal.disconnect(changed, sender=Group)
    sources.unregister("clubs")


@pytest.fixture(params=["pages", "clubs"])
def any_source(request: pytest.FixtureRequest, magazine: Magazine) -> tuple[ItemSource, list[str]]:
    """A source with two visible objects and one hidden one, and all their keys."""
    if request.param == "pages":
        pages = [magazine.place(title, live=title != "Secret") for title in ("One", "Two", "Secret")]
        return WagtailPageSource(), [str(page.translation_key) for page in pages]
    source: ClubSource = request.getfixturevalue("clubs")
    groups = [Group.objects.create(name=name) for name in ("One", "Two", "secret")]
    return source, [f"club-{group.pk}" for group in groups]


def test_a_source_yields_every_key_once_and_counts_them(any_source: tuple[ItemSource, list[str]]) -> None:
    source, keys = any_source
    assert sorted(source.keys(source.item_types())) == sorted(keys)
    assert source.count(source.item_types()) == len(keys)
    assert list(source.keys([])) == []


def test_a_source_hands_out_only_what_is_visible(any_source: tuple[ItemSource, list[str]]) -> None:
    source, keys = any_source
    assert sorted(item.key for item in source.fetch(keys)) == sorted(keys[:2])
    assert [item.key for item in source.fetch(keys[:1])] == keys[:1]
    assert list(source.fetch([])) == []


def test_a_source_names_numbers_of_existing_keys_only(any_source: tuple[ItemSource, list[str]]) -> None:
    source, keys = any_source
    assert set(source.numbers(keys)) == set(keys)
    assert source.numbers([]) == {}


def test_a_source_gives_items_of_its_own_types(any_source: tuple[ItemSource, list[str]]) -> None:
    source, keys = any_source
    outcome = materialise(source, keys)
    assert outcome.written == 2
    assert materialise(source, keys).unchanged == 2
    assert set(Item.objects.values_list("item_type", flat=True)) <= set(source.item_types())


def test_it_keeps_items_of_a_plain_model(clubs: ClubSource, news: News) -> None:
    with committed():
        group = Group.objects.create(name="Sailors")
    item = Item.objects.get()
    assert orjson.loads(bytes(item.payload))["title"] == "Sailors"
    assert item.content_id >= FIRST_FREE
    with committed():
        group.delete()
    assert [ref.item_type for ref in news.removed] == ["club"]
    assert not Item.objects.filter(is_visible=True).exists()


def test_it_never_gives_a_number_twice(clubs: ClubSource, magazine: Magazine) -> None:
    taken = magazine.place()
    ContentId.objects.create(remote_id="other", content_id=taken.pk)
    with committed():
        sweep()
    assert Item.objects.get().content_id >= FIRST_FREE


def test_it_drops_changes_of_a_source_that_is_gone(db: None) -> None:
    DirtyItem.objects.create(source="gone", source_id="1")
    DirtyItem.objects.create(source="gone", source_id="2", subtree=True)
    sweep()
    assert not DirtyItem.objects.exists()


def test_it_rebuilds_all_sources(clubs: ClubSource, magazine: Magazine, news: News) -> None:
    magazine.place()
    Group.objects.create(name="Sailors")
    seen: list[tuple[int, int]] = []
    outcome = rebuild(progress=lambda done, total: seen.append((done, total)), announce=False)
    assert (outcome.written, seen) == (2, [(1, 2), (2, 2)])
    assert news == News()


def test_it_keeps_the_row_of_an_item_that_cannot_be_built(
    clubs: ClubSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with committed():
        group = Group.objects.create(name="Sailors")

    fetch = clubs.fetch

    def broken(keys: Collection[str]) -> list[SourceItem]:
        return [replace(item, published_at="yesterday") for item in fetch(keys)]

    monkeypatch.setattr(clubs, "fetch", broken)
    with committed():
        group.save()
    assert Item.objects.get().is_visible
