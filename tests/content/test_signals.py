"""Every way in which an editor changes what the public sees, through the action that Wagtail takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from wagtail.images.models import Image
from wagtail.models import PageViewRestriction, Site

from config.jobs import schedule
from content.items.dirty import sweep
from content.items.record import ContentId, DirtyItem, Item
from content.models import FolderPage, PlacePage
from tests.content.conftest import Magazine, News, committed, drawn, stored


@pytest.fixture
def kochin(magazine: Magazine) -> PlacePage:
    with committed():
        return magazine.place(first_published_at=timezone.now())


def test_it_writes_an_item_when_a_page_is_published(magazine: Magazine, news: News) -> None:
    with committed():
        place = magazine.place(live=False)
    assert stored(place) is None
    with committed():
        place.save_revision().publish()
    assert stored(place)["name"] == "Kochin, India"
    assert [(ref.item_type, ref.content_id, ref.language) for ref in news.changed] == [
        ("place", place.pk, "eng-GB")
    ]
    assert not DirtyItem.objects.exists()


def test_it_ignores_a_draft_of_a_published_page(kochin: PlacePage, news: News) -> None:
    with committed():
        kochin.title = "Kochi"
        kochin.save_revision()
    assert stored(kochin)["name"] == "Kochin, India"
    assert news == News()


def test_it_waits_for_a_scheduled_publication(magazine: Magazine) -> None:
    with committed():
        place = magazine.place(live=False)
        place.go_live_at = timezone.now() + timedelta(days=1)
        place.save_revision(approved_go_live_at=place.go_live_at).publish()
    assert stored(place) is None
    place.refresh_from_db()
    revision = place.latest_revision
    revision.approved_go_live_at = timezone.now() - timedelta(minutes=1)
    revision.content["go_live_at"] = revision.approved_go_live_at.isoformat()
    revision.save()
    with committed():
        call_command("publish_scheduled")
    assert stored(place) is not None


def test_it_removes_an_expired_page(kochin: PlacePage, news: News) -> None:
    kochin.expire_at = timezone.now() - timedelta(minutes=1)
    kochin.save()
    with committed():
        call_command("publish_scheduled")
    assert stored(kochin) is None
    assert [ref.content_id for ref in news.removed] == [kochin.pk]


def test_it_removes_an_unpublished_page_and_keeps_its_number(kochin: PlacePage, news: News) -> None:
    news.clear()
    with committed():
        kochin.unpublish()
    assert stored(kochin) is None
    assert [ref.content_id for ref in news.removed] == [kochin.pk]
    with committed():
        kochin.save_revision().publish()
    assert stored(kochin)["contentId"] == kochin.pk


def test_it_keeps_a_live_page_below_an_unpublished_folder(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        magazine.places.unpublish()
    assert stored(kochin) is not None


def test_it_follows_a_move_of_a_folder(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        magazine.places.move(magazine.shop, pos="last-child")
    item = stored(kochin)
    assert item["uri"] == "/shop/places/kochin-india/"
    step = [magazine.root, magazine.home, magazine.shop, magazine.places, kochin]
    assert item["categoryPath"] == "/" + "".join(f"{page.pk}/" for page in step)


def test_it_follows_a_new_slug_of_a_folder(magazine: Magazine, kochin: PlacePage, news: News) -> None:
    news.clear()
    with committed():
        magazine.places.slug = "spots"
        magazine.places.save_revision().publish()
    assert stored(kochin)["uri"] == "/spots/kochin-india/"
    assert [ref.content_id for ref in news.changed] == [kochin.pk]


def test_it_leaves_reordered_pages_alone(magazine: Magazine, kochin: PlacePage, news: News) -> None:
    with committed():
        second = magazine.place("Samana")
    news.clear()
    with committed():
        second.move(magazine.places, pos="first-child")
    assert news == News()


def test_it_writes_copies_with_publishing_only(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        published = kochin.copy(update_attrs={"slug": "one", "title": "One"}, to=magazine.shop)
        draft = kochin.copy(update_attrs={"slug": "two"}, to=magazine.shop, keep_live=False)
    assert stored(published)["contentId"] == published.pk
    assert stored(draft) is None


def test_it_gives_an_alias_as_a_further_location(magazine: Magazine, kochin: PlacePage, news: News) -> None:
    news.clear()
    with committed():
        alias = kochin.create_alias(parent=magazine.shop)
    paths = stored(kochin)["categoryPath"]
    assert [path.rstrip("/").rsplit("/", 1)[1] for path in paths] == [str(kochin.pk), str(alias.pk)]
    assert stored(alias) is None
    assert [ref.content_id for ref in news.changed] == [kochin.pk]
    with committed():
        alias.delete()
    assert isinstance(stored(kochin)["categoryPath"], str)


def test_it_splits_an_item_when_an_alias_becomes_a_page(magazine: Magazine, kochin: PlacePage) -> None:
    from wagtail.actions.convert_alias import ConvertAliasPageAction

    with committed():
        alias = kochin.create_alias(parent=magazine.shop)
    with committed():
        ConvertAliasPageAction(alias).execute(skip_permission_checks=True)
    assert isinstance(stored(kochin)["categoryPath"], str)
    assert stored(alias)["contentId"] == alias.pk


def test_it_frees_an_alias_whose_original_is_deleted(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        alias = kochin.create_alias(parent=magazine.shop)
    with committed():
        PlacePage.objects.get(pk=kochin.pk).delete()
    assert stored(kochin) is None
    assert stored(alias) is None  # Wagtail unpublishes it with its original
    alias.refresh_from_db()
    with committed():
        alias.save_revision().publish()
    assert stored(alias)["contentId"] == alias.pk


def test_it_writes_subtrees_of_aliases(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        magazine.places.create_alias(parent=magazine.shop, recursive=True)
    assert len(stored(kochin)["categoryPath"]) == 2


def test_it_writes_a_translation_only_when_it_is_published(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        french = kochin.copy_for_translation(magazine.fr, copy_parents=True)
    assert stored(kochin, "fre-FR") is None
    with committed():
        french.title = "Cochin"
        french.save_revision().publish()
    item = stored(kochin, "fre-FR")
    assert (item["name"], item["contentId"], item["uri"]) == (
        "Cochin",
        kochin.pk,
        "/fr/places/kochin-india/",
    )


def test_it_keeps_the_number_when_the_original_is_deleted(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        french = kochin.copy_for_translation(magazine.fr, copy_parents=True)
        french.save_revision().publish()
    with committed():
        PlacePage.objects.get(pk=kochin.pk).delete()
    assert stored(french) is None
    assert stored(french, "fre-FR")["contentId"] == kochin.pk


def test_it_removes_the_items_of_a_deleted_folder(magazine: Magazine, kochin: PlacePage, news: News) -> None:
    news.clear()
    with committed():
        FolderPage.objects.get(pk=magazine.places.pk).delete()
    assert stored(kochin) is None
    assert [ref.remote_id for ref in news.removed] == [str(kochin.translation_key)]
    assert ContentId.objects.filter(content_id=kochin.pk).exists()


def test_it_follows_the_privacy_of_a_folder(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        restriction = PageViewRestriction.objects.create(
            page=magazine.places, restriction_type=PageViewRestriction.LOGIN
        )
    assert stored(kochin) is None
    with committed():
        restriction.delete()
    assert stored(kochin) is not None


def test_it_follows_privacy_set_in_the_back_office(
    magazine: Magazine, kochin: PlacePage, admin_client: Client
) -> None:
    with committed():
        answer = admin_client.post(
            f"/admin/pages/{magazine.places.pk}/privacy/", {"restriction_type": "login"}
        )
    assert answer.status_code == 200
    assert stored(kochin) is None


def test_it_writes_what_the_back_office_publishes(
    magazine: Magazine, kochin: PlacePage, admin_client: Client
) -> None:
    with committed():
        answer = admin_client.post(f"/admin/pages/{kochin.pk}/unpublish/")
    assert answer.status_code == 302
    assert stored(kochin) is None
    with committed():
        admin_client.post(f"/admin/bulk/wagtailcore/page/publish/?id={kochin.pk}")
    assert stored(kochin) is not None


def test_it_follows_a_picture(magazine: Magazine, picture: Image, admin_client: Client) -> None:
    with committed():
        place = magazine.place(image=picture)
    first = stored(place)["image"]
    assert first.startswith("/media/images/")
    with committed():
        upload = SimpleUploadedFile("red.png", drawn("red"), content_type="image/png")
        answer = admin_client.post(f"/admin/images/{picture.pk}/", {"title": "Red", "file": upload})
    assert answer.status_code == 302
    assert stored(place)["image"] not in {first, None}
    with committed():
        admin_client.post(f"/admin/images/{picture.pk}/delete/")
    assert stored(place)["image"] is None


def test_it_follows_the_root_of_a_site(magazine: Magazine, kochin: PlacePage, news: News) -> None:
    news.clear()
    with committed():
        magazine.site.root_page = magazine.places
        magazine.site.save()
    assert stored(kochin)["uri"] == "/kochin-india/"
    with committed():
        magazine.site.delete()
    assert stored(kochin) is None
    assert len(news.removed) == 1


def test_it_keeps_two_sites_apart(magazine: Magazine, kochin: PlacePage) -> None:
    with committed():
        shop_site = Site.objects.create(hostname="shop.test", root_page=magazine.shop)
        lamp = magazine.shop.add_child(instance=PlacePage(title="Lamp"))
    assert stored(kochin, site=shop_site) is None
    assert stored(lamp, site=shop_site)["uri"] == "/lamp/"
    assert stored(lamp, site=magazine.site)["uri"] == "/shop/lamp/"


def test_it_heals_what_a_crash_after_the_commit_left(magazine: Magazine, news: News) -> None:
    place = magazine.place()  # the callbacks of the commit never run
    assert stored(place) is None
    with committed():
        outcome = sweep()
    assert (outcome.written, outcome.removed) == (1, 0)
    assert [ref.content_id for ref in news.changed] == [place.pk]
    assert not DirtyItem.objects.exists()


def test_it_is_swept_by_the_worker(magazine: Magazine, monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"sweep_items": schedule._entries["sweep_items"]}
    monkeypatch.setattr(schedule, "_entries", own)
    place = magazine.place()
    schedule.run_due()
    assert stored(place) is not None


def test_it_leaves_a_large_subtree_to_the_sweep(
    magazine: Magazine, kochin: PlacePage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("content.items.dirty.AT_ONCE", 1)
    with committed():
        magazine.place("Samana")
    with committed():
        magazine.places.slug = "spots"
        magazine.places.save_revision().publish()
    assert stored(kochin)["uri"] == "/places/kochin-india/"
    with committed():
        sweep()
    assert stored(kochin)["uri"] == "/spots/kochin-india/"


def unpublish_and_fail(page: PlacePage) -> None:
    page.unpublish()
    raise ZeroDivisionError


def test_it_rolls_back_with_the_change(magazine: Magazine, kochin: PlacePage) -> None:
    from django.db import transaction

    with committed(), pytest.raises(ZeroDivisionError), transaction.atomic():
        unpublish_and_fail(kochin)
    assert stored(kochin) is not None
    assert not DirtyItem.objects.exists()
    assert Item.objects.count() == 1
