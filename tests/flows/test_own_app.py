"""A project's own page types, as the README has it: an app, a decorator, a tag in either template engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation

pytestmark = pytest.mark.browser  # shares the demo that those tests build

SITES = """
personalization:
  system:
    default:
      included_item_types: [recipe, cook, article]
      random_item_types: [article]
    kitchen:
      languages: [eng-GB]
      authentication: {customer_id: 10101, license_key: 1111-2222-3333-4444-5555}
"""
PUBLISH = """
from tests.cookbook.models import CookPage, RecipePage
from content.models import HomePage
home = HomePage.objects.get(locale__language_code="en")
for page in (RecipePage(title="Carrot soup", slug="soup", intro="Thick"), CookPage(title="Ann", slug="ann")):
    home.add_child(instance=page)
    page.save_revision().publish()
    print(page.get_url())
"""
LOOK = """
from django.test import Client
from content.items.record import Item
for path in ("/soup/", "/ann/"):
    answer = Client(headers={"host": "localhost"}).get(path)
    print(answer.status_code, answer.content.decode())
for row in Item.objects.filter(item_type__in=["recipe", "cook"]).order_by("item_type"):
    print(bytes(row.payload).decode())
"""


@pytest.fixture
def kitchen(copy_of_demo: CopyOfDemo, tmp_path: Path) -> Installation:
    """The demo's state with one more app."""
    sites = tmp_path / "sites.yaml"
    sites.write_text(SITES)
    return copy_of_demo(LODESTAR_APPS="tests.cookbook", LODESTAR_SITES_FILE=str(sites))


def test_it_tracks_exports_and_recommends_on_pages_of_an_own_app(kitchen: Installation) -> None:
    kitchen.manage("migrate", "-v0")
    kitchen.python(PUBLISH)
    kitchen.manage("rebuild_items")

    seen = kitchen.python(LOOK)

    assert seen.count("200 <!doctype html>") == 2
    assert seen.count("Others cooked") == 2
    assert seen.count('data-source="engine"') == 2
    assert '["_trackEvent","41","click",' in seen
    assert '["_trackEvent","42","click",' in seen
    assert '"title":"Carrot soup","intro":"Thick","minutes":30' in seen
    assert '"name":"Ann"' in seen


def test_it_names_an_app_that_does_not_exist(tmp_path: Path) -> None:
    mistyped = Installation(var_dir=tmp_path / "var", extra_env={"LODESTAR_APPS": "recipies"})
    done = mistyped.attempt("manage.py", "check")

    assert done.returncode != 0
    assert "LODESTAR_APPS names 'recipies'" in done.stderr
