"""What an editor does, and which notifications two engines hear of it: reference `client-protocol.md` 3.2.

Rows that concern whole subtrees, links, translations and privacy are in weaknesses/test_incremental.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.utils import timezone
from wagtail.actions.convert_alias import ConvertAliasPageAction
from wagtail.images.models import Image
from wagtail.models import Page

from content.models import PlacePage, ProductPage, ProductVariant
from tests.content.conftest import Magazine, committed
from tests.content.test_sources import ClubSource, clubs
from tests.personalization.client.conftest import Engine
from tests.personalization.weaknesses.test_incremental import SITES, Heard, both, heard, places

pytestmark = pytest.mark.django_db
__all__ = ["clubs", "heard"]  # fixtures
SINGLE = "english"


@dataclass
class Scene:
    """A published place, and whatever else a row makes."""

    magazine: Magazine
    place: PlacePage
    picture: Image
    made: dict[str, Page] = field(default_factory=dict)

    def fresh(self) -> PlacePage:
        return PlacePage.objects.get(pk=self.place.pk)


@pytest.fixture
def scene(magazine: Magazine, picture: Image, heard: Callable[[], Heard]) -> Scene:  # noqa: F811
    [place] = places(magazine)
    # As a page that was published by an editor; the first publication would be news of its date otherwise.
    with committed():
        place.first_published_at = timezone.now()
        place.save()
    heard()
    return Scene(magazine=magazine, place=place, picture=picture)


def draft(scene: Scene) -> None:
    page = scene.fresh()
    page.title = "Draft"
    page.save_revision()


def publish(scene: Scene) -> None:
    page = scene.fresh()
    page.title = "New title"
    page.save_revision().publish()


def another_owner(scene: Scene) -> None:
    page = scene.fresh()
    page.owner = User.objects.create_user("ida", first_name="Ida")
    page.save()


def unpublish(scene: Scene) -> None:
    scene.fresh().unpublish()


def publish_again(scene: Scene) -> None:
    scene.fresh().unpublish()
    scene.fresh().save_revision().publish()


def expire(scene: Scene) -> None:
    page = scene.fresh()
    page.expire_at = timezone.now() - timedelta(minutes=1)
    page.save()
    call_command("publish_scheduled")


def go_live_later(scene: Scene) -> None:
    page = scene.fresh()
    page.title = "Tomorrow"
    page.go_live_at = timezone.now() + timedelta(days=1)
    page.save_revision().publish()


def reorder(scene: Scene) -> None:
    scene.fresh().move(scene.magazine.places, pos="first-child")


def move(scene: Scene) -> None:
    scene.fresh().move(scene.magazine.shop, pos="last-child")


def another_slug(scene: Scene) -> None:
    page = scene.fresh()
    page.slug = "elsewhere"
    page.save()


def copy(scene: Scene) -> None:
    scene.made["copy"] = scene.fresh().copy(update_attrs={"slug": "again"}, to=scene.magazine.shop)


def copy_as_draft(scene: Scene) -> None:
    scene.fresh().copy(update_attrs={"slug": "again"}, to=scene.magazine.shop, keep_live=False)


def alias(scene: Scene) -> None:
    scene.made["alias"] = scene.fresh().create_alias(parent=scene.magazine.shop)


def alias_and_back(scene: Scene) -> None:
    alias(scene)
    scene.made["alias"].delete()


def alias_becomes_a_page(scene: Scene) -> None:
    alias(scene)
    ConvertAliasPageAction(scene.made["alias"]).execute(skip_permission_checks=True)
    scene.made["copy"] = Page.objects.get(pk=scene.made["alias"].pk)


def tag(scene: Scene) -> None:
    page = scene.fresh()
    page.tags.add("coast")
    page.save()


def picture(scene: Scene) -> None:
    page = scene.fresh()
    page.image = scene.picture
    page.save_revision().publish()


def delete(scene: Scene) -> None:
    scene.fresh().delete()


UPDATE, DELETE, NOTHING = ("UPDATE",), ("DELETE",), ()
ROWS: list[tuple[Callable[[Scene], None], tuple[str, ...]]] = [
    (draft, NOTHING),
    (publish, UPDATE),
    (another_owner, UPDATE),
    (unpublish, DELETE),
    (publish_again, NOTHING),  # in one transaction, and nothing is other than before
    (expire, DELETE),
    (go_live_later, DELETE),  # Wagtail takes the page off until then
    (reorder, NOTHING),
    (move, UPDATE),
    (another_slug, UPDATE),
    (copy_as_draft, NOTHING),
    (alias, UPDATE),
    (tag, UPDATE),
    (picture, UPDATE),
    (delete, DELETE),
]


@pytest.mark.parametrize(("act", "action"), ROWS, ids=[act.__name__ for act, _ in ROWS])
def test_both_customers_hear_what_became_of_the_place(
    act: Callable[[Scene], None],
    action: tuple[str, ...],
    scene: Scene,
    heard: Callable[[], Heard],  # noqa: F811
) -> None:
    with committed():
        act(scene)
    expected: Heard = both(action[0], scene.place) if action else set()
    assert heard() == expected


def test_what_was_taken_off_and_reverted_is_told_when_it_is_back(
    scene: Scene,
    heard: Callable[[], Heard],  # noqa: F811
) -> None:
    with committed():
        unpublish(scene)
    assert heard() == both("DELETE", scene.place)
    with committed():
        first = scene.fresh().save_revision()
        first.publish()
    assert heard() == both("UPDATE", scene.place)
    with committed():
        publish(scene)
    assert heard() == both("UPDATE", scene.place)
    with committed():
        first.publish()
    assert heard() == both("UPDATE", scene.place)


@pytest.mark.parametrize("act", [copy, alias_becomes_a_page])
def test_a_page_that_was_made_of_another_is_news_of_its_own(
    act: Callable[[Scene], None],
    scene: Scene,
    heard: Callable[[], Heard],  # noqa: F811
) -> None:
    with committed():
        act(scene)
    told = heard()
    assert both("UPDATE", scene.made["copy"]) <= told
    assert {action for _, action, _, _ in told} == {"UPDATE"}


def test_an_alias_that_came_and_went_leaves_the_place_as_it_was(
    scene: Scene,
    heard: Callable[[], Heard],  # noqa: F811
) -> None:
    with committed():
        alias_and_back(scene)
    assert heard() <= both("UPDATE", scene.place)


def test_a_variant_that_changes_alone_is_news_of_its_product(
    magazine: Magazine,
    heard: Callable[[], Heard],  # noqa: F811
    sites_file: Callable[[str], None],
) -> None:
    sites_file(SITES.replace("[place, article]", "[place, product]"))
    with committed():
        lamp = magazine.shop.add_child(instance=ProductPage(title="Lamp", price=Decimal(10)))
        variant = ProductVariant.objects.create(page=lamp, name="Red", sku="L-R", price=Decimal(11))
    heard()
    with committed():
        variant.price = Decimal(12)
        variant.save()
    assert heard() == both("UPDATE", lamp)


def test_objects_that_are_no_pages_are_announced_too(
    clubs: ClubSource,  # noqa: F811
    heard: Callable[[], Heard],  # noqa: F811
    sites_file: Callable[[str], None],
    engine: Engine,
) -> None:
    sites_file(SITES.replace("[place, article]", "[club]"))
    with committed():
        group = Group.objects.create(name="Walkers")
    [number] = {item for _, action, item, _ in heard() if action == "UPDATE"}
    with committed():
        group.name = "secret walkers"
        group.save()
    assert heard() == {(who, "DELETE", number, "eng-GB") for who in ("501", "502")}
