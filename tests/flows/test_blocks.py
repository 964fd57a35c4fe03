"""A block of recommendations that the browser loads, in a real page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.flows.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

WITH_BLOCKS = """
from content.models import ArticlePage
page = ArticlePage.objects.filter(locale__language_code="en").live().first()
body = list(page.body.raw_data)
loved = {"title": "Loved by others", "limit": 3, "in_browser": True}
fresh = {"title": "Fresh", "scenario": "recently_added", "limit": 2}
body += [{"type": "most_popular", "value": loved}, {"type": "personalized_list", "value": fresh}]
page.body = page.body.stream_block.to_python(body)
page.save_revision().publish()
print(page.url_path)
"""


def test_it_fills_the_block_and_reports_what_was_seen(page: Page, demo: Installation) -> None:
    path = demo.python(WITH_BLOCKS).split()[-1].removeprefix("/lodestar")
    with page.expect_response(re.compile("/personalization/fragment/")) as filled:
        page.goto(path)
    assert filled.value.status == 200
    lazy = page.locator("section.recommendations", has_text="Loved by others")
    expect(lazy.locator("article")).to_have_count(3)
    expect(page.locator("section.recommendations", has_text="Fresh").locator("article")).to_have_count(2)
    with page.expect_response(re.compile(r"/api/10101/rendered/.*scenario=popular")) as seen:
        lazy.scroll_into_view_if_needed()
    assert seen.value.status == 204


def test_editors_choose_among_the_blocks(page: Page, demo: Installation) -> None:
    page.goto("/admin/login/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "lodestar-demo")
    page.locator("[type=submit]").click()
    parent = demo.python(
        "from content.models import ArticlePage; print(ArticlePage.objects.live().first().get_parent().pk)"
    ).strip()
    page.goto(f"/admin/pages/add/content/articlepage/{parent}/")
    page.locator(
        "#panel-child-content-body-section, #panel-content-body-section, [id$='body-section']"
    ).first.click()
    page.get_by_role("button", name=re.compile("Insert a block")).last.click()
    choices = page.get_by_role("option")
    for name in ("Personalized list", "Bestsellers", "Most popular", "Recently added", "Recently viewed"):
        expect(choices.filter(has_text=name).first).to_be_visible()
    choices.filter(has_text="Personalized list").first.click()
    expect(page.locator("input[list$='-suggestions']")).to_have_value("front")
