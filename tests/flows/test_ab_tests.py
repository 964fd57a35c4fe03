"""A marketer begins an A/B test from a scenario, sees its state, and ends it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_marketer_begins_and_ends_a_test(page: Page) -> None:
    log_in(page)
    page.goto("/admin/personalization/scenarios/?customer_id=10101&q=also_bought")
    page.get_by_role("link", name="Also bought").first.click()
    page.get_by_role("link", name="compare it with another scenario").click()
    expect(page.get_by_label("Scenario A")).to_have_value("also_bought")
    page.get_by_label("Scenario B").select_option("category")
    page.get_by_label("Share of B (percent)").fill("30")
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    page.get_by_role("button", name="Begin the test").click()
    expect(page.get_by_role("heading", name="also_bought against category")).to_be_visible()
    expect(page.get_by_text("B, for 30 % of the users")).to_be_visible()
    page.get_by_role("link", name="End test").click()
    page.get_by_role("button", name="Yes, end it").click()
    expect(page.get_by_text("The test has ended")).to_be_visible()
    expect(page.get_by_text("Archived", exact=True)).to_be_visible()
