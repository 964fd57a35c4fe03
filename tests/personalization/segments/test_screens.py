"""Segments in the back office, and the block that shows each segment something else."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from personalization.blocks import DynamicTargetingBlock
from personalization.client import lazy
from personalization.segments import changes
from personalization.segments.models import Segment, SegmentGroup

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client) -> Client:
    User.objects.create_superuser("admin", password="pw")
    client.login(username="admin", password="pw")
    return client


def post(browser: Client, view: str, *arguments: Any, **fields: Any) -> Any:
    return browser.post(reverse(view, args=arguments), fields)


def test_an_editor_makes_changes_and_removes(browser: Client) -> None:
    assert post(browser, "segment_groups:add", name="Audiences", identifier="a").status_code == 302
    group = SegmentGroup.objects.get()
    assert post(browser, "segments:add", name="Cats", identifier="cats", group=group.pk).status_code == 302
    segment = Segment.objects.get()
    changed = post(browser, "segments:edit", segment.pk, name="Cats!", identifier="cats", group=group.pk)
    assert changed.status_code == 302
    segment.refresh_from_db()
    assert segment.name == "Cats!"
    assert post(browser, "segments:delete", segment.pk).status_code == 302
    assert post(browser, "segment_groups:delete", group.pk).status_code == 302
    assert not SegmentGroup.objects.exists()


def test_the_list_says_what_is_known(browser: Client, cats: Segment, mabel: User) -> None:
    changes.assign(cats, [mabel.pk])
    Segment.objects.update(size=1240, tags=["pets", "home"], counted_at=timezone.now())
    text = browser.get(reverse("segments:index")).content.decode()
    for word in ("Cat owners", "cat_owners", "Audiences", "1,240", "pets, home"):
        assert word in text, word
    assert "no-such" not in browser.get(reverse("segments:index"), {"q": "owners"}).content.decode()
    assert "Cat owners" not in browser.get(reverse("segments:index"), {"q": "dogs"}).content.decode()
    groups = browser.get(reverse("segment_groups:index")).content.decode()
    assert "People" in groups


@pytest.mark.parametrize(
    ("identifier", "says"), [("9", "Begin with a letter"), ("cat_owners", "already exists"), ("", "required")]
)
def test_the_form_says_what_is_wrong(browser: Client, cats: Segment, identifier: str, says: str) -> None:
    answer = post(browser, "segments:add", name="x", identifier=identifier, group=cats.group.pk)
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert Segment.objects.count() == 1


@pytest.mark.case("V17")
@pytest.mark.usefixtures("locked")
def test_nothing_changes_in_what_a_platform_fills(browser: Client, cats: Segment) -> None:
    page = browser.get(reverse("segments:edit", args=[cats.pk])).content.decode()
    assert "Filled by the customer data platform" in page
    assert page.count("disabled") >= 3
    answer = post(browser, "segments:edit", cats.pk, name="Mine", identifier="mine", group=cats.group.pk)
    assert answer.status_code == 200
    assert "The customer data platform fills this group." in answer.content.decode()
    post(browser, "segments:delete", cats.pk)
    post(browser, "segment_groups:delete", cats.group.pk)
    answer = post(browser, "segments:add", name="Mine", identifier="mine", group=cats.group.pk)
    assert answer.status_code == 200
    cats.refresh_from_db()
    assert (cats.name, Segment.objects.count()) == ("Cat owners", 1)
    assert "Customer data platform" in browser.get(reverse("segment_groups:index")).content.decode()


def test_only_who_may_sees_it(client: Client, cats: Segment, mabel: User) -> None:
    mabel.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client.login(username="mabel", password="pw")
    for name, arguments in (("segments:index", []), ("segments:edit", [cats.pk]), ("segments:add", [])):
        assert client.get(reverse(name, args=arguments)).status_code == 403, name
    assert "Customer data" not in client.get("/admin/").content.decode()
    mabel.user_permissions.add(Permission.objects.get(codename="view_segment"))
    assert client.get(reverse("segments:index")).status_code == 200
    assert client.get(reverse("segments:add")).status_code == 403


def test_a_block_shows_each_segment_something_else(
    cats: Segment, mabel: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dogs = changes.create_segment(cats.group, identifier="dogs", name="Dogs")
    block = DynamicTargetingBlock()
    asked: list[str] = []
    monkeypatch.setattr(
        lazy, "show_recommendations", lambda _request, scenario, **_options: asked.append(scenario) or ""
    )
    value = block.to_python(
        {
            "limit": 3,
            "rules": [
                {"segment": "gone", "scenario": "of_nobody"},
                {"segment": "dogs", "scenario": "for_dogs"},
                {"segment": "cat_owners", "scenario": "for_cats"},
            ],
            "scenario": "for_all",
        }
    )

    def shown(user: Any) -> str:
        request = RequestFactory().get("/")
        request.user = user
        block.render(value, {"request": request})
        return asked.pop()

    assert shown(AnonymousUser()) == "for_all"
    assert shown(mabel) == "for_all"
    changes.assign(cats, [mabel.pk])
    assert shown(mabel) == "for_cats"
    changes.assign(dogs, [mabel.pk])
    assert shown(mabel) == "for_dogs"  # the first rule that holds
    assert "in_browser" not in block.child_blocks
    choices = block.child_blocks["rules"].child_block.child_blocks["segment"].field.choices
    assert ("Audiences", [("cat_owners", "Cat owners"), ("dogs", "Dogs")]) in list(choices)
