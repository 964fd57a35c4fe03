"""What the doctor says of item types and models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from config import site_access
from content.checks import item_types_of_sites

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
