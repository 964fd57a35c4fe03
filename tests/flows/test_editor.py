"""An editor's work in the back office, and what the engine makes of it ..."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Page, expect

from personalization.demo.login import LOGIN, PASSWORD
from tests.flows.installation import Installation, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

CREDENTIALS = ("10101", "1111-2222-3333-4444-5555")
ARTICLE = 39


def log_in(page: Page) -> None:
    page.goto("/admin/")
    page.locator("[name=username]").fill(LOGIN)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form [type=submit]").click()
    expect(page).to_have_url(re.compile(r"/admin/$"))


def choose_action(page: Page, selector: str) -> None:
    """An entry of the menu behind the arrow of the save button."""
    page.locator("footer .w-dropdown-button [data-w-dropdown-target=toggle]").click()
    page.locator(f"footer {selector}").click()


def page_id(demo: Installation, *, slug: str) -> int:
    with closing(sqlite3.connect(demo.var_dir / "lodestar.sqlite3")) as database:
        [(found,)] = database.execute("SELECT id FROM wagtailcore_page WHERE slug = ?", (slug,)).fetchall()
    return int(found)


def content_id(demo: Installation, *, slug: str) -> int:
    """The number under which the engine knows a page, once the read model has it."""
    sql = (
        "SELECT c.content_id FROM content_contentid c JOIN wagtailcore_page p"
        " ON replace(p.translation_key, '-', '') = replace(c.remote_id, '-', '') WHERE p.slug = ?"
    )
    with closing(sqlite3.connect(demo.var_dir / "lodestar.sqlite3")) as database:
        return int(next(iter(database.execute(sql, (slug,)).fetchall()), (0,))[0])


def item_status(demo: Installation, item: int) -> int:
    url = f"{demo.base}/api/10101/item/{ARTICLE}/{item}"
    return requests.get(url, auth=CREDENTIALS, timeout=30).status_code


def recently_added(demo: Installation) -> list[int]:
    """The ten newest articles in the eyes of the engine."""
    url = f"{demo.base}/api/v2/10101/{uuid4()}/recently_added.json?numrecs=10&outputtypeid={ARTICLE}"
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 200, answer.text
    return [one["itemId"] for one in answer.json()["recommendationItems"]]


def write_title(page: Page, title: str) -> None:
    """Wagtail's script makes the slug a moment after the title was left; who is quicker has none."""
    page.locator("#id_title").fill(title)
    page.locator("#id_title").blur()
    page.locator("#id_slug").evaluate("(field, slug) => { field.value ||= slug; }", title)


def create_and_publish(page: Page, demo: Installation, *, title: str) -> None:
    page.goto(f"/admin/pages/add/content/articlepage/{page_id(demo, slug='sea-shore')}/")
    write_title(page, title)
    page.locator("#id_author").fill("Ana Example")
    choose_action(page, "[name=action-publish]")
    expect(page.locator(".messages")).to_contain_text("published")


def test_it_recommends_what_is_published_and_forgets_what_is_unpublished(
    page: Page, demo: Installation
) -> None:
    slug = f"tide-pools-{uuid4().hex[:8]}"
    log_in(page)
    create_and_publish(page, demo, title=slug)

    item = eventually(lambda: content_id(demo, slug=slug), what="a number for the article")
    assert isinstance(item, int)
    eventually(lambda: item_status(demo, item) == 200, what="the article in the item store")
    eventually(lambda: recently_added(demo)[0] == item, what="a recommendation of the article")
    page.goto("/")
    expect(page.locator("main")).to_contain_text(slug)

    page.goto(f"/admin/pages/{page_id(demo, slug=slug)}/edit/")
    choose_action(page, "a[href*='/unpublish/']")
    page.get_by_role("button", name="Yes, unpublish it").click()
    expect(page.locator(".messages")).to_contain_text("unpublished")

    eventually(lambda: item_status(demo, item) == 404, what="the article gone from the item store")
    eventually(lambda: item not in recently_added(demo), what="no recommendation of the article")
    page.goto("/")
    expect(page.locator("main")).not_to_contain_text(slug)


def test_it_sends_the_engine_what_an_editor_changed(page: Page, demo: Installation) -> None:
    slug = f"harbour-{uuid4().hex[:8]}"
    log_in(page)
    create_and_publish(page, demo, title=slug)
    item = eventually(lambda: content_id(demo, slug=slug), what="a number for the article")
    eventually(lambda: item_status(demo, int(str(item))) == 200, what="the article in the item store")

    page.goto(f"/admin/pages/{page_id(demo, slug=slug)}/edit/")
    page.locator("#id_title").fill("A harbour before sunrise")
    choose_action(page, "[name=action-publish]")
    expect(page.locator(".messages")).to_contain_text("published")

    url = f"{demo.base}/api/10101/item/{ARTICLE}/{item}"
    eventually(
        lambda: "A harbour before sunrise" in requests.get(url, auth=CREDENTIALS, timeout=30).text,
        what="the new title in the item store",
    )
