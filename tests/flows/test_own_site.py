"""What docs/own-site.md shows, done as it says: an empty database, an app of six files, a served site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.flows.installation import Installation, eventually
from tests.flows.written import files_of, served_app

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PUBLISH = """
from recipes.models import Cook, RecipePage
from wagtail.models import Site
soup = RecipePage(title="Carrot soup", slug="soup", intro="Thick")
Site.objects.get().root_page.add_child(instance=soup)
soup.save_revision().publish()
Cook.objects.bulk_create([Cook(name="Ann", about="Bakes"), Cook(name="Bert", retired=True)])
"""
RETIRE = """
from recipes.models import Cook
ann = Cook.objects.get(name="Ann")
ann.retired = True
ann.save()
"""
SHOWN = """
from content.items.record import Item
print([bytes(item.payload).decode() for item in Item.objects.filter(is_visible=True)])
"""


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[Installation]:
    shown = files_of("own-site.md")
    assert set(shown) >= {"sites.yaml", "recipes/apps.py", "recipes/models.py", "recipes/source.py"}
    with served_app("own-site.md", "recipes", tmp_path) as own:
        yield own


def recently_added(own: Installation) -> set[str]:
    address = f"{own.base}/api/v2/20001/me/recently_added.json?attribute=title"
    found = requests.get(address, timeout=60).json()["recommendationItems"]
    return {one["attributes"][0]["values"][0] for one in found}


def test_its_app_is_tracked_exported_and_recommended(kitchen: Installation) -> None:
    kitchen.python(PUBLISH)  # with bulk_create, of which no source hears
    kitchen.manage("rebuild_items")
    said = kitchen.manage("run_export")
    assert "Exported 2 items" in said
    assert "the engine answered 202" in said

    def learnt() -> bool:
        kitchen.manage("build_models")
        return recently_added(kitchen) == {"Carrot soup", "Ann"}

    eventually(learnt, seconds=120, what="both items at the engine")
    cook = requests.get(kitchen.base + "/cooks/1/", timeout=60).text
    recipe = requests.get(kitchen.base + "/soup/", timeout=60).text
    assert '["_trackEvent","42","click","1000000000"' in cook
    assert "categorypath=/cooks/" in cook.replace("\\u0026", "&")
    assert '["_trackEvent","41","click",' in recipe
    assert "Others cooked" in recipe

    kitchen.python(RETIRE)  # with save: the source marks it
    assert requests.get(kitchen.base + "/cooks/1/", timeout=60).status_code == 404
    assert "Ann" not in kitchen.python(SHOWN)
