"""The event debugger in the browser: live, paused, and the first event of a customer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.flows.installation import Installation
from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def send(demo: Installation, path: str) -> int:
    return requests.get(f"{demo.base}/api/{path}", timeout=60).status_code


def test_it_shows_events_live_and_stands_still_while_paused(page: Page, demo: Installation) -> None:
    log_in(page)
    page.goto("/admin/tracking/debugger/?customer_id=10101")
    rows = page.locator("[data-rows] tr")

    assert send(demo, "10101/click/somebody/38/4242") == 204
    assert send(demo, "10101/clik/somebody/38/4242") == 404
    expect(rows.filter(has_text="38/4242")).to_have_count(1)
    expect(rows.filter(has_text="did you mean click?")).to_have_count(1)

    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-state]")).to_have_text("Paused")
    assert send(demo, "10101/click/somebody/38/4343") == 204
    page.wait_for_timeout(3_000)
    expect(rows.filter(has_text="38/4343")).to_have_count(0)

    page.get_by_role("button", name="Go on").click()
    expect(rows.filter(has_text="38/4343")).to_have_count(1)


def test_it_finds_what_one_user_did(page: Page, demo: Installation) -> None:
    assert send(demo, "10101/click/ann%40example.org/38/4545") == 204
    log_in(page)
    page.goto("/admin/tracking/debugger/?customer_id=10101")
    page.get_by_text("Find the pseudonym of a user id").click()
    page.locator("#raw-user").fill("ann@example.org")
    page.get_by_role("button", name="Find").click()

    expect(page).to_have_url(re.compile(r"[?&]user=[0-9a-f]{32}"))
    assert "ann" not in page.url
    rows = page.locator("[data-rows] tr")
    expect(rows.filter(has_text="38/4545")).to_have_count(1)
    expect(rows).to_have_count(1)


def test_it_waits_for_the_first_event_of_a_customer(page: Page, demo: Installation) -> None:
    demo.manage("create_customer", "--name", "New shop", "--type", "commerce", "--id", "31001")
    log_in(page)
    page.goto("/admin/tracking/snippet/?customer_id=31001")
    expect(page.get_by_text("Waiting for the first event")).to_be_visible()

    for _ in range(20):  # the web process may take two seconds to know the customer
        if send(demo, "31001/click/somebody/1/1") == 204:
            break
        page.wait_for_timeout(500)

    expect(page.get_by_text("Events of this customer arrive.")).to_be_visible()


def test_its_tracking_code_works_in_a_page_of_ones_own(
    page: Page, browser: Browser, demo: Installation, tmp_path: Path
) -> None:
    log_in(page)
    page.goto("/admin/tracking/snippet/?customer_id=10101")
    code = page.locator("#snippet").input_value()
    pasted = tmp_path / "page.html"
    code = code.replace("ITEM TYPE NUMBER", "38").replace("ITEM NUMBER", "4646")
    pasted.write_text(f"<!doctype html><title>Own</title>{code}")

    with browser.new_context() as elsewhere:
        own = elsewhere.new_page()
        with own.expect_response(lambda answer: "/api/10101/click/" in answer.url) as answered:
            own.goto(pasted.as_uri())
    assert answered.value.status == 204
    assert answered.value.url.split("?")[0].endswith("/38/4646")


def test_it_fits_a_small_screen(page: Page, demo: Installation) -> None:
    assert send(demo, "10101/click/somebody/38/4747") == 204
    page.set_viewport_size({"width": 320, "height": 640})
    log_in(page)
    page.goto("/admin/tracking/debugger/")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320
