"""An editor changes a scenario by keyboard, looks at what it recommends, and has a model built."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def press(page: Page, name: str) -> None:
    """A button, by keyboard alone."""
    page.get_by_role("button", name=name, exact=True).focus()
    page.keyboard.press("Enter")


def drag(page: Page, what: Locator, onto: Locator) -> None:
    """As a hand drags: moved more than once, and let go when it may be let go there."""
    what.scroll_into_view_if_needed()
    what.hover()
    page.mouse.down()
    onto.hover()
    onto.hover()
    expect(page.locator(".engine-level--over")).to_have_count(1)
    page.mouse.up()


def test_an_editor_fills_levels_by_keyboard_previews_and_builds(page: Page) -> None:
    log_in(page)
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto("/admin/personalization/scenario/new/?customer=10101")
    page.get_by_label("Name").fill("Keys alone")
    page.get_by_label("Identifier").fill("keys_alone")
    first = page.get_by_role("combobox", name="Model for Primary models")
    first.select_option(label="Top clicked")
    press(page, "Add to Primary models")
    status = page.locator("[data-status]")
    expect(status).to_have_text("Top clicked: Primary models, place 1 of 1")
    first.select_option(label="Also clicked")
    press(page, "Add to Primary models")
    press(page, "Up Also clicked")
    expect(status).to_have_text("Also clicked: Primary models, place 1 of 2")
    expect(page.get_by_role("button", name="Up Also clicked", exact=True)).to_be_focused()
    press(page, "Down Top clicked")
    expect(status).to_have_text("Top clicked: Fallback 1, place 1 of 1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")

    # By mouse: back to the first level, and by keyboard down again.
    page.set_viewport_size({"width": 1400, "height": 1000})
    drag(
        page,
        page.locator("[data-level='1'] [data-card] .engine-card__head"),
        page.locator("[data-level='0'] h3"),
    )
    expect(status).to_contain_text("Top clicked: Primary models")
    press(page, "Down Top clicked")
    if page.locator("[data-level='1'] [data-card]").count() == 0:
        press(page, "Down Top clicked")
    expect(page.locator("[data-level='1'] [data-card]")).to_have_count(1)
    press(page, "Save")
    expect(page.get_by_text("The scenario was created.")).to_be_visible()
    names = [one.text_content() for one in page.locator("[data-card] [data-name]").all()]
    assert names == ["Also clicked", "Top clicked"]

    # What was changed and not saved is left only on purpose.
    press(page, "Remove Also clicked")
    expect(status).to_have_text("Also clicked was removed.")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Discard changes").click()
    expect(page.locator("[data-card]")).to_have_count(2)

    page.get_by_role("link", name="What it recommends, and why").click()
    page.get_by_label("Context items").fill("CLICKED")
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_role("heading", name="Answer: 200, 6 items")).to_be_visible()
    expect(page.locator(".engine-tile")).to_have_count(6)
    expect(page.get_by_role("row", name="Fallback 1 top_clicked 6")).to_be_visible()

    page.goto("/admin/personalization/models/?customer_id=10101&q=top_clicked")
    page.get_by_role("link", name="Top clicked").first.click()
    page.get_by_role("button", name="Trigger model build").click()
    expect(page.get_by_text("A build was triggered")).to_be_visible()
    expect(page.locator("[role=status]", has_text="Last built at").first).to_be_visible(timeout=60_000)
