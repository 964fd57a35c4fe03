"""The first ten minutes of somebody new, as the reference scripts them (section D1), with their limits.

What each step took is printed beside its limit (``-rP`` shows it). A machine that is busy with something else
fails nobody: a step may take `SLACK` times its limit.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation, eventually
from tests.flows.test_customer_data import PEOPLE, PRODUCT, message, next_stage
from tests.flows.test_editor import content_id, create_and_publish, log_in, recently_added
from tests.flows.test_make_demo import answers, demo_running
from tests.flows.test_visitor import DIVER_OPENS, block, read_story, reasons
from tests.prepared import seconds

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SLACK = 15
CUSTOMER, SHOP = "10101", "31010"
WRONG = 7  # the person whose date is none


class Watch:
    """Holds what happens between two moments against a limit, in seconds."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, float, float]] = []

    @contextmanager
    def step(self, name: str, limit: float) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.taken.append((name, time.monotonic() - started, limit))
        sys.stdout.write(f"{name}: {self.taken[-1][1]:.2f} s of {limit:g} s\n")

    @property
    def late(self) -> list[tuple[str, float, float]]:
        return [one for one in self.taken if one[1] > one[2] * SLACK]


@pytest.fixture
def watch(demo: Installation) -> Watch:  # noqa: ARG001 - it was built for it
    made = Watch()
    made.taken.append(("demo", seconds("demo"), 60))
    return made


@pytest.fixture
def demo(copy_of_demo: CopyOfDemo) -> Iterator[Installation]:
    """Served as a newcomer serves it, with the debug bar."""
    found = copy_of_demo()
    with demo_running(found, port=found.port):
        eventually(lambda: answers(found.base), seconds=90, what="the site")
        yield found


def test_they_go_as_the_script_says(
    page: Page, browser: Browser, demo: Installation, tmp_path: Path, watch: Watch
) -> None:
    is_a_visitor(page, watch)
    log_in(page)
    finds_the_checklist_and_the_charts(page)
    watches_events(page, browser, demo, watch)
    publishes(page, demo, watch)
    exports(page, watch)
    users = [line.split()[0] for line in demo.python(PEOPLE).splitlines()]
    uploads_people(page, users, watch)
    builds_an_audience(page, demo, users[0], watch)
    activates_it(page, watch)
    takes_the_tracking_code_home(page, browser, demo, tmp_path, watch)
    assert watch.late == []
    ticked_itself(page)


def is_a_visitor(page: Page, watch: Watch) -> None:
    with watch.step("first page", 1):
        page.goto("/")
        expect(block(page, "front").locator("article").first).to_be_visible()
    for title in DIVER_OPENS:
        read_story(page, title)
    with watch.step("because of what was opened", 2):
        page.locator("header a.brand").click()
        while not reasons(page):
            page.goto("/")
    assert reasons(page) <= {f"Because you viewed {title}" for title in DIVER_OPENS}
    listed = page.locator(".lodestar-debug", has_text="front").first
    listed.locator("summary").click()
    expect(listed).to_contain_text(re.compile(r"Milliseconds\s*\d"))
    bar = page.locator(".lodestar-debug--bar")
    bar.locator("summary").click()
    expect(bar.locator("li").first).to_contain_text("click")


def finds_the_checklist_and_the_charts(page: Page) -> None:
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    page.get_by_role("button", name="Personalization").click()
    page.locator("a[href='/admin/personalization/dashboard/']").click()
    page.get_by_role("link", name="30 days").click()
    expect(page.locator("[data-canvas] canvas").first).to_be_visible()
    for chart in page.locator(".lodestar-chart").all():
        assert "Nothing to show" not in chart.inner_text(), chart.inner_text()


def watches_events(page: Page, browser: Browser, demo: Installation, watch: Watch) -> None:
    page.goto(f"/admin/tracking/debugger/?customer_id={CUSTOMER}")
    rows = page.locator("[data-rows] tr")
    expect(rows.filter(has_text="click").first).to_be_visible()
    with browser.new_context(base_url=demo.base) as elsewhere:
        visitor = elsewhere.new_page()
        visitor.goto("/")
        with visitor.expect_response(re.compile(f"/api/{CUSTOMER}/click/")) as stored:
            block(visitor, "front").locator("h3 a").first.click()
        item = re.search(r"/click/[^/]+/(\d+/\d+)", stored.value.url)
        assert item is not None
        with watch.step("a click in the debugger", 2):
            expect(rows.filter(has_text=item[1]).first).to_be_visible()
    requests.get(f"{demo.base}/api/{CUSTOMER}/clik/somebody/38/9191", timeout=60)
    expect(rows.filter(has_text="did you mean click?").first).to_be_visible()


def publishes(page: Page, demo: Installation, watch: Watch) -> None:
    slug = f"first-story-{uuid4().hex[:8]}"
    with watch.step("a story that is written, published and recommended", 5):
        create_and_publish(page, demo, title=slug)
        item = eventually(lambda: content_id(demo, slug=slug), what="a number for the story")
        eventually(lambda: recently_added(demo)[0] == item, what="a recommendation of the story")
    page.goto("/admin/personalization/outbox/")
    expect(
        page.get_by_role("row", name=re.compile("Sent|Delivered|Done", re.IGNORECASE)).first
    ).to_be_visible()


def exports(page: Page, watch: Watch) -> None:
    page.goto("/admin/personalization/exports/new/")
    page.locator("#id_customer").select_option("0")
    with watch.step("a full export", 20):
        page.get_by_role("button", name="Export now").click()
        expect(page.locator(".messages")).to_contain_text("the engine answered 202")
    expect(page.locator("table.listing tbody tr").first).to_contain_text("Done")


def people(users: list[str], *, wrong: int | None = None) -> bytes:
    """As a spreadsheet writes it: semicolons, an old encoding; the date of one person may be none."""
    lines = ["userid;name;country;member_since"]
    for number, user in enumerate(users):
        since = "yesterday" if number == wrong else f"2024-05-{number % 28 + 1:02}"
        lines.append(f"{user};Jos\u00e9 {number};{'FR' if number % 2 else 'PL'};{since}")
    return "\n".join(lines).encode("cp1252")


def uploads_people(page: Page, users: list[str], watch: Watch) -> None:
    page.goto("/admin/customer-data/dataflow/new/")
    page.get_by_role("textbox", name="Name").fill("People of a file")
    next_stage(page)
    with watch.step("a preview of the columns", 3):
        upload(page, people(users))
        page.get_by_role("button", name="Validate & download").click()
        message(page, "is the sample now")
    expect(page.get_by_role("row", name=re.compile("^member_since"))).to_be_visible()
    expect(page.get_by_text("Jos\u00e9 0")).to_be_visible()
    expect(page.get_by_label("Type of member_since")).to_have_value("date")
    page.get_by_label("member_since is mandatory").check()
    next_stage(page)
    page.get_by_role("link", name="Create schema based on the downloaded columns").click()
    page.get_by_role("textbox", name="Name").fill("People of ten minutes")
    page.get_by_label("Person Identifier").select_option("userid")
    page.get_by_role("button", name="Create schema").click()
    next_stage(page)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("p[role=status]")).to_contain_text("40 rows are fine")
    last = page.url
    page.goto(last.replace("/activation/", "/download/"))
    page.locator("[name=mode][value=production]").check()
    upload(page, people(users, wrong=WRONG))
    page.goto(last)
    page.get_by_role("button", name="Run and activate").click()
    message(page, "is active")

    def is_stored() -> bool:
        page.reload()
        return "Partly" in page.locator("table.listing").inner_text()

    eventually(is_stored, seconds=90, what="the run of the file")


def upload(page: Page, content: bytes) -> None:
    file: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": content}
    page.locator("main input[type=file]").set_input_files([file])
    page.get_by_role("button", name="Upload").click()
    message(page, "delivered")


def builds_an_audience(page: Page, demo: Installation, buyer: str, watch: Watch) -> None:
    for order in ("one", "two"):
        path = f"/api/{CUSTOMER}/buy/{buyer}/{PRODUCT}/1?fullprice=20.00EUR&quantity=1&orderid={order}"
        assert requests.get(demo.base + path, timeout=60).status_code == 204
    page.goto("/admin/customer-data/audience/new/")
    page.get_by_role("textbox", name="Name").first.fill("Bought twice")
    expect(page.get_by_label("Event")).to_have_value("buy")
    times = page.get_by_role("spinbutton", name="times")
    times.fill("2")
    found = page.locator("[data-result]")
    eventually(lambda: counts(page, times), what="the buyer in the audience")
    times.fill("1")
    expect(found).to_contain_text("did buy in the last 30 days")
    with watch.step("the size of an audience while it is built", 1):
        times.fill("2")
        expect(found).to_contain_text("at least 2 times")
    expect(page.locator("[data-people] a").first).to_be_visible()
    page.get_by_role("button", name="Save").click()
    message(page, "is being calculated")


def counts(page: Page, times: Locator) -> bool:
    """An event takes a moment from the log to the tables; asking again is typing again."""
    times.fill("2")
    page.wait_for_timeout(600)
    shown = page.locator("[data-count]")
    return shown.count() == 1 and shown.inner_text() not in ("", "0")


def activates_it(page: Page, watch: Watch) -> None:
    page.get_by_role("link", name="Create a new activation").click()
    page.get_by_role("textbox", name="Name").fill("Buyers to this site")
    page.get_by_label("Person Identifier").select_option("userid")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("checkbox", name=re.compile("Bought twice"))).to_be_checked()
    with watch.step("from the audience to the segment", 5):
        page.get_by_role("button", name="Create activation").click()
        message(page, "was created")
        eventually(lambda: has_member(page), seconds=90, what="a member of the segment")
    page.goto("/admin/customer-data/webhook/")
    expect(page.locator("table.listing tbody tr").first).to_contain_text("1 applied")


def has_member(page: Page) -> bool:
    page.goto("/admin/customer-data/segments/")
    row = page.get_by_role("row", name=re.compile("Bought twice"))
    return row.count() == 1 and bool(re.search(r"\b[1-9]\d*\b", row.inner_text()))


def takes_the_tracking_code_home(
    page: Page, browser: Browser, demo: Installation, folder: Path, watch: Watch
) -> None:
    demo.manage("create_customer", "--name", "A shop of ten minutes", "--type", "commerce", "--id", SHOP)
    page.goto(f"/admin/tracking/snippet/?customer_id={SHOP}")
    expect(page.get_by_text("Waiting for the first event")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    code = page.evaluate("navigator.clipboard.readText()")
    code = code.replace("ITEM TYPE NUMBER", "38").replace("ITEM NUMBER", "4949")
    pasted = folder / "page.html"
    pasted.write_text(f"<!doctype html><title>Own</title>{code}")
    # The web process may take two seconds to know the customer.
    eventually(lambda: knows(demo), what="the new customer")
    with browser.new_context() as elsewhere, watch.step("the first event received", 3):
        own = elsewhere.new_page()
        with own.expect_response(lambda answer: f"/api/{SHOP}/click/" in answer.url):
            own.goto(pasted.as_uri())
        expect(page.get_by_text("Events of this customer arrive.")).to_be_visible()


def knows(demo: Installation) -> bool:
    """A call with a wrong event is refused for the event, not for the customer."""
    answer = requests.get(f"{demo.base}/api/{SHOP}/clik/somebody/38/1", timeout=60)
    return "did you mean" in answer.text


def ticked_itself(page: Page) -> None:
    page.goto("/admin/")
    panel = page.locator(".lodestar-steps")
    assert panel.locator("li.lodestar-steps__done").count() >= 6, panel.inner_text()
