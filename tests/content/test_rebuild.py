"""`rebuild_items`, and what happens to news when something fails."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from wagtail.models import Site

from content.items import announce
from content.items.dirty import paused, sweep
from content.items.record import Announcement, DirtyItem, Item
from content.models import PlacePage
from content.signals import item_changed
from tests.content.conftest import Magazine, News, committed, stored


def rebuilt(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, int]:
    with committed():
        call_command("rebuild_items", "--json", *options)
    return json.loads(capsys.readouterr().out)


def test_it_writes_once_what_was_made_while_paused(
    magazine: Magazine, news: News, capsys: pytest.CaptureFixture[str]
) -> None:
    DirtyItem.objects.all().delete()
    with committed(), paused():
        places = [magazine.place(f"Place {number}") for number in range(3)]
    assert not DirtyItem.objects.exists()
    assert not Item.objects.exists()
    assert rebuilt(capsys) == {"written": 3, "unchanged": 0, "removed": 0}
    assert len(news.changed) == 3
    news.clear()
    assert rebuilt(capsys) == {"written": 0, "unchanged": 3, "removed": 0}
    assert news == News()
    PlacePage.objects.filter(pk=places[0].pk).update(live=False)
    assert rebuilt(capsys) == {"written": 0, "unchanged": 2, "removed": 1}
    assert [ref.content_id for ref in news.removed] == [places[0].pk]


def test_it_heals_only_the_type_and_site_asked_for(
    magazine: Magazine, capsys: pytest.CaptureFixture[str]
) -> None:
    second = Site.objects.create(hostname="places.test", root_page=magazine.places)
    with committed(), paused():
        place = magazine.place()
    assert rebuilt(capsys, "--type", "product")["written"] == 0
    assert rebuilt(capsys, "--site", "places.test")["written"] == 1
    assert stored(place, site=magazine.site) is None
    assert stored(place, site=second) is not None


def test_it_removes_orphans_of_bulk_deletes(magazine: Magazine, capsys: pytest.CaptureFixture[str]) -> None:
    with committed():
        place = magazine.place()
    for number, key in enumerate(["9f7bd1a8-0000-4000-8000-000000000000", "no-key-of-a-page"]):
        orphan = Item.objects.get(remote_id=place.translation_key)
        orphan.pk, orphan.remote_id, orphan.content_id = None, key, 900 + number
        orphan.save()
    assert rebuilt(capsys) == {"written": 0, "unchanged": 1, "removed": 2}
    assert stored(place) is not None


def test_it_prints_a_sentence(magazine: Magazine, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("rebuild_items")
    assert capsys.readouterr().out == "Items: 0 written, 0 unchanged, 0 removed.\n"


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--type", "recipe", "The item type 'recipe' is not declared; known are article, place, product."),
        ("--site", "nowhere.test", "is neither an entry of the sites file nor a Wagtail site"),
    ],
)
def test_it_refuses_what_it_does_not_know(magazine: Magazine, option: str, value: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        call_command("rebuild_items", option, value)
    assert caught.value.returncode == 2


def test_it_tells_again_what_a_receiver_could_not_take(magazine: Magazine, news: News) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("out of order")

    item_changed.connect(broken)
    with committed():
        place = magazine.place()
    assert stored(place) is not None
    assert Announcement.objects.get().tries == 1
    item_changed.disconnect(broken)
    news.clear()
    sweep()
    assert news == News()  # too young: its own process may still be telling it
    Announcement.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    sweep()
    assert [ref.content_id for ref in news.changed] == [place.pk]
    assert not Announcement.objects.exists()


def test_it_gives_up_on_news_that_nobody_takes(
    magazine: Magazine, news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announce, "MAX_TRIES", 1)

    def broken(**_: object) -> None:
        raise RuntimeError("out of order")

    item_changed.connect(broken)
    with committed():
        magazine.place()
    item_changed.disconnect(broken)
    assert not Announcement.objects.exists()


def test_it_takes_the_name_in_the_sites_file_for_a_site(
    magazine: Magazine, capsys: pytest.CaptureFixture[str]
) -> None:
    with committed(), paused():
        magazine.place()
    assert rebuilt(capsys, "--site", "site_en")["written"] == 1
    assert rebuilt(capsys, "--site", "localhost")["unchanged"] == 1


@pytest.mark.parametrize(("wrong", "right"), [("site_eng", "site_en"), ("localhots", "localhost")])
def test_it_says_which_sites_there_are(wrong: str, right: str, magazine: Magazine) -> None:
    said = rf"neither an entry .* nor a Wagtail site .* Did you mean '{right}'"
    with pytest.raises(CommandError, match=said):
        call_command("rebuild_items", "--site", wrong)
