"""Cases of reference `client-protocol.md` 9.3: where items come from and how they are grouped."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from content.items import queries, types
from content.items.types import item_type
from content.models import ArticlePage, FolderPage, PlacePage
from personalization.client import tokens
from tests.personalization.client.conftest import SITES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]
EN, DE, FR, NO = "eng-GB", "ger-DE", "fre-FR", "nor-NO"
ALL = ("article", "blog", "product")


@pytest.fixture
def fifty(make_items: Callable[..., None], monkeypatch: pytest.MonkeyPatch, site_id: int) -> int:
    """The items of the reference: two articles, three blogs, ten products in each of their languages."""
    monkeypatch.setattr(types, "_TYPES", {})
    for number, (name, model) in enumerate(zip(ALL, (ArticlePage, FolderPage, PlacePage), strict=True), 1):
        item_type(name, id=number)(model)
    following = 1
    for kind, languages, count in (
        ("article", (EN, DE), 2),
        ("blog", (EN, FR), 3),
        ("product", (EN, DE, FR, NO), 10),
    ):
        for language in languages:
            make_items(count, kind=kind, language=language, start=following)
            following += count
    return site_id


@pytest.mark.parametrize(
    ("kinds", "languages", "items"),
    [
        (("article", "product"), ("pol-PL",), 0),
        (("article",), (EN,), 2),
        (ALL, (EN,), 15),
        (ALL, (EN, NO), 25),
        (ALL, (EN, FR, DE), 40),
        (ALL, (EN, FR, DE, NO), 50),
        ((), (EN,), 0),
        (ALL, (), 0),
    ],
)
def test_it_finds_the_items_of_types_and_languages(
    kinds: tuple[str, ...], languages: tuple[str, ...], items: int, fifty: int
) -> None:
    """Case 9-31."""
    groups = queries.groups(fifty, kinds, languages)
    assert sum(group.count for group in groups) == items
    named = [(group.item_type, group.language) for group in groups]
    assert named == sorted(named, key=lambda pair: (kinds.index(pair[0]), languages.index(pair[1])))


def test_it_reads_on_from_group_to_group(fifty: int) -> None:
    """Case 9-33."""
    groups = [(fifty, group) for group in queries.groups(fifty, ("article", "blog"), (EN, FR, DE))]
    found = [row for rows in queries.list_across(groups, start=0, limit=7) for row in rows]
    # Types outside and languages in the asked order inside: the articles in German come third and fourth.
    assert [row.content_id for row in found] == [1, 2, 3, 4, 5, 6, 7]


def test_it_finds_one_item_by_its_id_and_language(fifty: int, client: Client) -> None:
    """Case 9-35: over HTTP an unknown one is 204, as the protocol says of the endpoint."""
    found = queries.find(fifty, 1, EN)
    assert found is not None
    assert (found.item_type, found.content_id) == ("article", 1)
    assert queries.find_by_remote_id(fifty, "undefined_item", "pol-PL") is None
    headers = {"Authorization": f"Bearer {tokens.mint(501)}"}
    path = "/api/ibexa/v2/personalization/v1/content/remote-id/undefined_item"
    assert client.get(path, headers=headers).status_code == 204


def test_there_is_one_way_of_grouping_and_no_option_to_name_another() -> None:
    """Case 9-37: by item type and language; a strategy of another name is refused with the usage."""
    with pytest.raises(CommandError, match="unrecognized arguments: --group-item-strategy=nonexistent"):
        call_command("run_export", "--group-item-strategy=nonexistent")


def test_a_site_that_is_not_there_is_said_and_the_others_are_found(
    make_items: Callable[..., None], sites_file: Callable[[str], None]
) -> None:
    """Case 9-41: nothing is exported in silence for an entry whose root Wagtail does not know."""
    sites_file(SITES.replace("site_name: French", "site_name: French\n      root: nowhere.example"))
    make_items(1)
    with pytest.raises(CommandError, match="has root: 'nowhere.example', but Wagtail has no site"):
        call_command("run_export", "--quiet", stdout=StringIO(), stderr=StringIO())
    out = StringIO()
    triple = ("--siteaccess=site_en", "--customer-id=501", "--license-key=1111-aaaa")
    call_command("run_export", *triple, stdout=out, stderr=out)
    assert "Exported 1 items" in out.getvalue()
