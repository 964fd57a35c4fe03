"""What docs/django-shop.md shows: a shop of plain models, bought from in a browser."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser

from tests.flows.installation import Installation, eventually
from tests.flows.written import served_app

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

STOCK = """
from shop.models import Product
for name in ("Tea", "Cup", "Spoon", "Honey"):
    Product(name=name, about="Good", price="4.50", shelf="kitchen").save()
"""
FIRST = 1_000_000_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Installation]:
    with served_app("django-shop.md", "shop", tmp_path) as own:
        yield own


def bought(shop: Installation) -> list[Any]:
    with closing(sqlite3.connect(shop.var_dir / "events.sqlite3")) as database:
        found = database.execute(
            "SELECT item_id, quantity FROM tracking_event WHERE event = 'buy' ORDER BY item_id"
        )
        return found.fetchall()


def also_bought(shop: Installation) -> list[int]:
    address = f"{shop.base}/api/v2/20002/somebody/also_bought.json?contextitems={FIRST}&attribute=title"
    answer = requests.get(address, timeout=60)
    return [one["itemId"] for one in answer.json()["recommendationItems"]] if answer.ok else []


def test_its_shop_is_bought_from_and_recommends(shop: Installation, browser: Browser) -> None:
    shop.python(STOCK)
    shop.manage("rebuild_items")
    assert "Exported 4 items" in shop.manage("run_export")
    for _ in range(2):
        with browser.new_context() as context:
            page = context.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            for number, name in ((1, "Tea"), (3, "Spoon")):
                already = len(bought(shop))
                page.goto(f"{shop.base}/")
                page.get_by_role("link", name=name).first.click()
                page.get_by_role("button", name="Buy").click()
                assert "is on its way" in page.inner_text("body"), number
                eventually(lambda n=already: len(bought(shop)) == n + 1, what="the purchase")
                page.reload()
            assert errors == []
    assert {tuple(map(str, one)) for one in bought(shop)} == {(str(FIRST), "1"), (str(FIRST + 2), "1")}
    assert len(bought(shop)) == 4, "a purchase is told once"
    shop.manage("build_models")
    eventually(lambda: also_bought(shop)[:1] == [FIRST + 2], what="the spoon beside the tea")
    assert "Others also bought" in requests.get(f"{shop.base}/products/1/", timeout=60).text
