"""The loop of customer data, with mouse and keyboard: from a dataflow to a page of another content ..."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.flows.conftest import opened
from tests.flows.installation import Installation, eventually
from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PRODUCT = 40

PEOPLE = """
from django.contrib.auth.models import User
from cdp import demo
for user in User.objects.filter(email__endswith=f"@{demo.DOMAIN}").order_by("pk"):
    print(user.pk, demo.of_the_demo({}, user)["country"])
"""
SESSION = """
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
user = User.objects.get(pk={user})
session = SessionStore()
session["_auth_user_id"] = str(user.pk)
session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
session["_auth_user_hash"] = user.get_session_auth_hash()
session.create()
print(session.session_key)
"""
PAGE = """
from content.models import ArticlePage
page = ArticlePage.objects.filter(locale__language_code="en").live().last()
body = list(page.body.raw_data)
body.append({{"type": "dynamic_targeting", "value": {value}}})
page.body = page.body.stream_block.to_python(body)
page.save_revision().publish()
print(page.url_path)
"""


def next_stage(page: Page) -> None:
    page.get_by_role("button", name="Save and go on").click()


def message(page: Page, text: str) -> None:
    expect(page.locator(".messages")).to_contain_text(text)


def test_it_goes_round(page: Page, browser: Browser, demo: Installation) -> None:
    people = [line.split() for line in demo.python(PEOPLE).splitlines()]
    country = people[0][1]
    fan, other = people[0][0], next(user for user, of in people if of != country)
    log_in(page)
    stream = make_dataflow(page, demo)
    send_for_good(page, demo, stream)
    for user in (fan, other):
        buy(demo, user)
    build_audience(page, country)
    activate(page, demo)
    segment_has_members(page)
    shows_other_content(browser, demo, fan=fan, other=other)


def make_dataflow(page: Page, demo: Installation) -> str:
    """Stages 1 to 5 as far as the test; the stream id."""
    page.get_by_role("button", name="Customer data").click()
    page.get_by_role("link", name="Data Manager").click()
    page.get_by_role("link", name=re.compile("Add dataflow")).first.click()
    page.get_by_role("textbox", name="Name").fill("Users")
    next_stage(page)
    stream = page.locator("#stream-id").input_value()
    printed = demo.manage("stream_user_data", "--draft", f"--stream-id={stream}")
    assert f"Stream ID: {stream}" in printed
    expect(page.locator("[data-poll]")).to_contain_text("as a draft")
    page.get_by_role("button", name="Validate & download").click()
    message(page, "is the sample now")
    expect(page.get_by_role("row", name=re.compile("^country"))).to_be_visible()
    next_stage(page)
    page.get_by_role("link", name="Create schema based on the downloaded columns").click()
    expect(page.get_by_label("Parent")).to_have_value("personal")
    page.get_by_role("textbox", name="Name").fill("People")
    page.get_by_label("Person Identifier").select_option("userid")
    page.get_by_role("button", name="Create schema").click()
    expect(page.locator("[data-problems]")).to_contain_text("userid")
    page.get_by_label("Column for userid").select_option("id")
    expect(page.get_by_role("radio", name=re.compile("Append"))).to_be_checked()
    next_stage(page)
    expect(page.get_by_role("button", name="Run and activate")).to_be_disabled()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("p[role=status]")).to_contain_text("The test passed")
    return stream


def send_for_good(page: Page, demo: Installation, stream: str) -> None:
    demo.manage("stream_user_data", "--no-draft", f"--stream-id={stream}")
    page.goto(page.url)
    page.get_by_role("button", name="Run and activate").click()
    message(page, "is active")

    def has_run() -> bool:
        page.reload()
        return "Succeeded" in page.locator("table.listing").inner_text()

    eventually(has_run, what="the run of the held data")


def buy(demo: Installation, user: str) -> None:
    address = f"{demo.base}/api/10101/buy/{user}/{PRODUCT}/1?fullprice=20.00EUR&quantity=1"
    answer = requests.get(f"{address}&timestamp={datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", timeout=30)
    if answer.status_code == 400:  # the time of the request is the time of the event
        answer = requests.get(address, timeout=30)
    assert answer.status_code == 204, answer.text


def build_audience(page: Page, country: str) -> None:
    page.goto("/admin/customer-data/audience/new/")
    page.get_by_role("textbox", name="Name").first.fill("Buyers at home")
    expect(page.get_by_label("Event")).to_have_value("buy")
    page.get_by_role("button", name="Add condition").click()
    second = page.locator("[data-node='/children/1']")
    second.get_by_label("Condition").first.select_option("have")
    second.get_by_label("Attribute").select_option("a:country")
    second.get_by_label("Operator").select_option("eq")
    second.get_by_label("Value").fill(country)

    def is_counted() -> bool:
        second.get_by_label("Value").fill(country)
        page.wait_for_timeout(800)
        return page.locator("[data-count]").inner_text() == "1"

    eventually(is_counted, what="the size of the audience")
    expect(page.locator("[data-sentence]")).to_contain_text("country")
    # Visitors of the demo bought too; they are nobody who lives anywhere.
    expect(page.locator("[data-size='/children/0']")).to_have_text(re.compile("^[0-9]+$"))
    page.get_by_role("button", name="Save").click()
    message(page, "is being calculated")


def activate(page: Page, demo: Installation) -> None:
    page.get_by_role("link", name="Create a new activation").click()
    page.get_by_role("textbox", name="Name").fill("Own site")
    page.get_by_label("Kind").select_option("ibexa")
    page.get_by_label("Person Identifier").select_option("userid")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Base URL").fill(f"{demo.base}/cdp/webhook")
    page.get_by_label("Client ID").fill("demo-site")
    page.get_by_label("Segment Group Identifier").fill("cdp_audiences")
    page.get_by_label("Client Secret").fill("demo-secret-for-local-use-only-0000")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("checkbox", name=re.compile("Buyers at home"))).to_be_checked()
    page.get_by_role("button", name="Create activation").click()
    message(page, "was created")
    page.get_by_role("button", name="Test connection").click()
    message(page, "takes requests")


def segment_has_members(page: Page) -> None:
    def is_filled() -> bool:
        page.goto("/admin/customer-data/segments/")
        row = page.get_by_role("row", name=re.compile("Buyers at home"))
        return (
            row.count() == 1
            and "buyers_at_home" in row.inner_text()
            and bool(re.search(r"\b1\b", row.inner_text()))
        )

    eventually(is_filled, seconds=120, what="the segment")


def shows_other_content(browser: Browser, demo: Installation, *, fan: str, other: str) -> None:
    value = {
        "title": "For you",
        "limit": 3,
        "scenario": "recently_added",
        "rules": [{"segment": "buyers_at_home", "scenario": "popular"}],
    }
    path = demo.python(PAGE.format(value=value)).split()[-1].removeprefix("/lodestar")
    seen = {user: shown_to(browser, demo, user, path) for user in (fan, other, "")}
    assert seen[fan] != seen[other]
    assert seen[other] == seen[""]
    assert all(len(titles) == 3 for titles in seen.values())


def shown_to(browser: Browser, demo: Installation, user: str, path: str) -> list[str]:
    with opened(browser, demo) as page:
        if user:
            key = demo.python(SESSION.format(user=user)).split()[-1]
            page.context.add_cookies([{"name": "sessionid", "value": key, "url": demo.base}])
        page.goto(path)
        section = page.locator("section.recommendations", has_text="For you").last
        return section.locator("article").all_inner_texts()
