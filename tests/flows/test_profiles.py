"""A person in the back office: found, looked at, merged and parted, handed out and erased."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.flows.installation import Installation
from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

STATE = """
from cdp.profiles import accounts, contributions, people
from cdp.profiles.contributions import Said
from cdp.profiles.names import Named

account = accounts.create(123456, name="Demo")
for user, city in (("7101", "Oslo"), ("7102", "Bergen")):
    [one] = people.identify(account, [[Named("userid", user)]], reason="manual")
    contributions.append(contributions.source(account, "manual"), [Said(one, {"city": city})])
"""


def find(page: Page, user: str) -> None:
    page.goto("/admin/customer-data/profiles/")
    page.get_by_role("link", name="Find by name").click()
    page.get_by_label("Person Identifier").select_option("userid")
    page.get_by_role("textbox", name="Name").fill(user)
    page.get_by_role("button", name="Find").click()


def test_it_goes_from_the_name_to_the_receipt(page: Page, demo: Installation) -> None:
    demo.python(STATE)
    log_in(page)
    walk(page)


def walk(page: Page) -> None:
    find(page, "7101")
    expect(page.get_by_role("row", name=re.compile("^city Oslo by hand"))).to_be_visible()
    assert "7101" not in page.url
    merge_and_part(page)
    find(page, "7101")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Give consent").click()
    expect(page.get_by_role("row", name=re.compile("^marketing Granted"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download everything").click()
    found = json.loads(Path(download.value.path()).read_text())
    assert found["profile"]["attributes"] == {"city": "Oslo"}
    page.get_by_role("link", name="Erase").click()
    page.get_by_role("textbox", name="Type the word erase").fill("erase")
    page.get_by_role("button", name="Erase for good").click()
    expect(page).to_have_url(re.compile("/erasure/"))
    expect(page.locator("dd[role=status]")).not_to_be_empty()
    receipt = page.url.rstrip("/").rsplit("/", 1)[-1]
    page.goto("/admin/customer-data/erasure/")
    expect(page.get_by_role("link", name=receipt)).to_be_visible()


def merge_and_part(page: Page) -> None:
    page.get_by_role("link", name="Merge with another person").click()
    page.get_by_label("Person Identifier").select_option("userid")
    page.get_by_role("textbox", name="Name").fill("7102")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("region", name="Both as one")).to_contain_text("Bergen")
    page.get_by_role("button", name="Merge").click()
    expect(page.locator(".messages")).to_contain_text("They are one person now")
    page.get_by_role("link", name="Take apart").click()
    expect(page.get_by_role("region", name="Comes back")).to_contain_text("7102")
    page.get_by_role("button", name="Take apart").click()
    expect(page.locator(".messages")).to_contain_text("two people again")
    expect(page.get_by_role("row", name=re.compile("^city Bergen"))).to_be_visible()
