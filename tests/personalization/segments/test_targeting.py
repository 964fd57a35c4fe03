"""The targeting block: the first variation that matches and may be seen, else the fallback, else nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template import engines
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Page, PageViewRestriction, Site

from content.blocks import BODY_BLOCKS
from content.items.streams import block_as_html
from personalization.segments import changes, choices
from personalization.segments.blocks import TargetingBlock
from personalization.segments.models import Segment

pytestmark = pytest.mark.django_db
MakePage = Callable[..., Page]


@pytest.fixture
def make_page() -> MakePage:
    home = Site.objects.get(is_default_site=True).root_page

    def make(title: str, **more: Any) -> Page:
        made: Page = home.add_child(instance=Page(title=title, slug=title.lower(), **more))
        return made

    return make


@pytest.fixture
def dogs(cats: Segment) -> Segment:
    return changes.create_segment(cats.group, identifier="dogs", name="Dogs")


def asked_by(user: Any = None, path: str = "/") -> HttpRequest:
    request = RequestFactory().get(path, headers={"host": "localhost"})
    request.user = user or AnonymousUser()
    request.session = {}  # type: ignore[assignment]
    return request


def variation(*segments: str, page: Page | None = None, text: str = "", match: str = "any") -> dict[str, Any]:
    content = {"page": page.pk if page else None, "text": text}
    return {"segments": list(segments), "match": match, "content": content}


def written(*variations: dict[str, Any], page: Page | None = None, text: str = "") -> Any:
    fallback = {"page": page.pk if page else None, "text": text}
    return TargetingBlock().to_python({"variations": list(variations), "fallback": fallback})


def shown(value: Any, user: Any = None, path: str = "/") -> str:
    return str(TargetingBlock().render(value, {"request": asked_by(user, path)}))


@pytest.mark.case("V27")
def test_the_first_variation_that_matches_is_shown(
    cats: Segment, dogs: Segment, mabel: User, make_page: MakePage
) -> None:
    value = written(
        variation("dogs", page=make_page("Kennels")),
        variation("cat_owners", text="<p>Meow</p>"),
        text="<p>Everybody</p>",
    )
    assert shown(value) == shown(value, mabel) == "<p>Everybody</p>"
    changes.assign(cats, [mabel.pk])
    assert shown(value, mabel) == "<p>Meow</p>"
    changes.assign(dogs, [mabel.pk])
    html = shown(value, mabel)
    assert "Kennels" in html
    assert 'href="/kennels/"' in html


def test_a_variation_may_want_all_of_its_segments(cats: Segment, dogs: Segment, mabel: User) -> None:
    value = written(variation("cat_owners", "dogs", text="both", match="all"))
    changes.assign(cats, [mabel.pk])
    assert shown(value, mabel) == ""
    changes.assign(dogs, [mabel.pk])
    assert "both" in shown(value, mabel)
    either = written(variation("cat_owners", "no_such", text="either"))
    assert "either" in shown(either, mabel)


@pytest.mark.case("V25")
def test_who_may_not_see_it_gets_the_next_one(
    cats: Segment, dogs: Segment, mabel: User, make_page: MakePage
) -> None:
    secret, other = make_page("Secret"), make_page("Other")
    for page in (secret, other):
        restriction = PageViewRestriction.objects.create(page=page, restriction_type="groups")
        restriction.groups.add(Group.objects.create(name=page.title))
    value = written(variation("cat_owners", page=secret), variation("dogs", page=other), text="Everybody")
    changes.assign(cats, [mabel.pk])
    changes.assign(dogs, [mabel.pk])
    assert shown(value, mabel) == "Everybody"
    mabel.groups.add(Group.objects.get(name="Other"))
    assert "Other" in shown(value, User.objects.get(pk=mabel.pk))
    mabel.groups.add(Group.objects.get(name="Secret"))
    assert "Secret" in shown(value, User.objects.get(pk=mabel.pk))


def test_what_is_not_published_is_not_shown(cats: Segment, mabel: User, make_page: MakePage) -> None:
    changes.assign(cats, [mabel.pk])
    draft = make_page("Draft", live=False)
    assert shown(written(variation("cat_owners", page=draft), page=draft), mabel) == ""
    gone = make_page("Gone")
    stored = variation("cat_owners", page=gone)
    gone.delete()
    value = written(stored, text="Everybody")
    assert shown(value, mabel) == "Everybody"


@pytest.mark.case("V27")
def test_nothing_at_all_is_shown_without_a_fallback(cats: Segment, mabel: User) -> None:
    value = written(variation("cat_owners", text="Meow"))
    assert shown(value) == shown(value, mabel) == ""
    assert TargetingBlock().render(value, {}) == ""
    assert block_as_html(BODY_BLOCKS["targeting"], value) == "", "no content of the item"


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("django", "{% load wagtailcore_tags %}<{% include_block value %}>"),
        ("jinja2", "<{% include_block value %}>"),
    ],
)
def test_templates_of_both_kinds_show_it(cats: Segment, mabel: User, engine: str, text: str) -> None:
    changes.assign(cats, [mabel.pk])
    block = TargetingBlock()
    bound = block.to_python({"variations": [variation("cat_owners", text="<b>Meow</b>")], "fallback": {}})
    template = engines[engine].from_string(text)
    assert template.render({"value": bound}, asked_by(mabel)) == "<<b>Meow</b>>"
    assert template.render({"value": bound}, asked_by()) == "<>"


@pytest.mark.parametrize(
    ("variations", "says"),
    [
        ([variation("cat_owners", text="a"), variation("dogs", "cat_owners", text="b")], "choose it once"),
        ([variation(text="a")], "required"),
        ([variation("cat_owners")], "Choose a content item or write a text."),
        ([variation("no_such", text="a")], "not one of the available choices"),
        ([variation("cat_owners", text="a", match="none")], "not one of the available choices"),
        ([variation("cat_owners", text="a")] * 21, "maximum number of items is 20"),
    ],
)
def test_the_editor_says_what_is_wrong(dogs: Segment, variations: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(ValidationError) as fault:
        TargetingBlock().clean(written(*variations))
    assert says in said(fault.value)


def test_a_page_and_a_text_are_one_too_many(cats: Segment, make_page: MakePage) -> None:
    page = make_page("Kennels")
    with pytest.raises(ValidationError) as fault:
        TargetingBlock().clean(written(variation("cat_owners", page=page, text="a")))
    assert "not both" in said(fault.value)
    good = TargetingBlock().clean(written(variation("cat_owners", page=page), text="Everybody"))
    assert good["variations"][0]["content"]["page"].pk == page.pk


def said(fault: Any) -> str:
    """Every sentence below a fault."""
    parts = [*getattr(fault, "messages", [])] if not hasattr(fault, "block_errors") else []
    below = getattr(fault, "block_errors", None) or {}
    parts += [said(one) for one in (below.values() if isinstance(below, dict) else below) if one]
    for one in getattr(fault, "non_block_errors", None) or []:
        parts.append(str(getattr(one, "message", one)))
    return " ".join(parts)


def test_the_editor_sees_size_last_update_and_tags(cats: Segment) -> None:
    Segment.objects.update(size=1240, tags=["pets", "home"], counted_at=timezone.now())
    [(group, [(identifier, label)])] = choices.by_group()
    assert (group, identifier) == ("Audiences", "cat_owners")
    assert "Cat owners (size 1,240; updated " in label
    assert label.endswith("; tags pets, home)")


def test_the_editor_sees_that_a_segment_was_deleted(cats: Segment, dogs: Segment, mabel: User) -> None:
    value = written(variation("cat_owners", "dogs", text="Meow"))
    block = TargetingBlock().child_blocks["variations"]
    assert block.get_form_state(value["variations"])[0]["value"]["gone"] == ""
    changes.assign(cats, [mabel.pk])
    cats.delete()
    assert block.get_form_state(value["variations"])[0]["value"]["gone"] == "cat_owners"
    assert shown(value, mabel) == ""


def test_who_may_looks_as_several_segments(cats: Segment, dogs: Segment, mabel: User) -> None:
    value = written(variation("cat_owners", "dogs", text="both", match="all"), text="Everybody")
    path = "/?as_segment=cat_owners&as_segment=dogs&as_segment=no_such"
    assert "Everybody" in shown(value, mabel, path)
    assert "Everybody" in shown(value, None, path)
    admin = User.objects.create_superuser("admin", password="pw")
    assert "both" in shown(value, admin, path)
    changes.assign(cats, [admin.pk])
    changes.assign(dogs, [admin.pk])
    assert "both" in shown(value, admin)
    assert "Everybody" in shown(value, admin, "/?as_segment=")


def test_the_back_office_offers_to_look_as_segments(client: Client, cats: Segment, dogs: Segment) -> None:
    home = Site.objects.get(is_default_site=True).root_page
    User.objects.create_superuser("admin", password="pw")
    client.login(username="admin", password="pw")
    address = reverse("view_as_segments")
    listing = client.get(reverse("wagtailadmin_explore", args=[home.pk])).content.decode()
    assert f"{address}?path=%2F" in listing
    form = client.get(address, {"path": "/places/?x=1"}).content.decode()
    assert "<code>/places/</code>" in form
    assert "Cat owners" in form
    chosen = client.post(f"{address}?path=/places/", {"as_segment": ["cat_owners", "dogs"]})
    assert chosen["Location"] == "/places/?as_segment=cat_owners&as_segment=dogs"
    assert client.post(f"{address}?path=/places/")["Location"] == "/places/?as_segment="
    for wrong in ("//evil.example/", "https://evil.example/", "javascript:x", "\\\\evil"):
        assert client.post(f"{address}?path={wrong}")["Location"] == "/?as_segment="


def test_nobody_else_may(client: Client, mabel: User) -> None:
    client.login(username="mabel", password="pw")
    assert client.post(reverse("view_as_segments"))["Location"].startswith("/admin/login/")
