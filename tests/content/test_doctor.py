"""What the doctor says of item types and models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from pytest_django import Settings

from config import site_access
from content.checks import item_types_of_sites, items_of_sites

FILE = "personalization: {system: {shop: {authentication: {customer_id: 7, license_key: a-b}, %s}}}"


@pytest.fixture
def sites(tmp_path: Path, settings: Settings) -> Callable[[str], None]:
    path = tmp_path / "sites.yaml"
    settings.LODESTAR_SITES_FILE = path

    def write(keys: str) -> None:
        path.write_text(FILE % keys)
        site_access.reload()

    return write


def test_it_names_item_types_that_nobody_declares(sites: Callable[[str], None]) -> None:
    sites("included_item_types: [place, artcle], random_item_types: [place]")
    [finding] = item_types_of_sites()
    assert not finding.well
    assert (
        finding.text
        == "site shop names the item type 'artcle', which no model declares. Did you mean 'article'?"
    )


def test_it_names_a_site_without_item_types(sites: Callable[[str], None]) -> None:
    sites("site_name: Shop")
    [finding] = item_types_of_sites()
    assert "nothing is exported" in finding.text
    sites("included_item_types: [place]")
    assert list(item_types_of_sites()) == []


@pytest.mark.django_db
def test_it_names_authors_and_related_fields_that_do_not_exist(sites: Callable[[str], None]) -> None:
    wrong = "place.image: image.title, place.imge: article.title, ghost.photo: place.title"
    sites(f"included_item_types: [place], author_id: 4711, field: {{relations: {{{wrong}}}}}")
    texts = [finding.text for finding in items_of_sites()]
    assert texts[0].startswith("author_id names user 4711, whom nobody is")
    assert "'image.title', and the field is null: no model declares the item type 'image'" in texts[1]
    assert "'place.imge', and the field is null: 'place' has no such field. Did you mean 'image'?" in texts[2]
    assert "'ghost.photo', and the field is null: no model declares the item type 'ghost'" in texts[3]
    assert len(texts) == 4
    editor = get_user_model().objects.create_user("ana")
    sites(f"author_id: {editor.pk}, field: {{relations: {{place.image: article.title}}}}")
    assert list(items_of_sites()) == []
