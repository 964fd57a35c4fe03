"""axe finds nothing serious on the own screens of the back office and on the demo's pages, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.flows.installation import Installation
from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SERIOUS = ("serious", "critical")
CUSTOMER = "31002"
SCREENS = [
    "",
    "tracking/debugger/",
    "tracking/debugger/?customer_id=10101&outcome=refused",  # with what is wrong
    "tracking/debugger/?customer_id=nobody",
    "tracking/snippet/",
    "tracking/privacy/",
    "tracking/privacy/E-axe/",
    "personalization/models/",
    "personalization/model/{model}/",
    "personalization/model/{list}/list/",
    "personalization/items/",
    "personalization/items/inspect/{item}/",
    "personalization/scenarios/",
    "personalization/scenario/new/",
    "personalization/scenario/{scenario}/",
    "personalization/scenario/{scenario}/preview/",
    "personalization/tests/",
    "personalization/test/new/?customer=10101",
    "personalization/test/{test}/",
    "personalization/test/{test}/end/",
    "personalization/evaluation/?customer=10101",
    "personalization/evaluation/{report}/",
    "personalization/customers/",
    "personalization/customers/?q=nobody-is-called-so",
    "personalization/customers/new/",
    "personalization/customers/edit/{pk}/",
    "personalization/imports/",
    "personalization/imports/inspect/{import}/",
    "personalization/exports/",
    "personalization/exports/inspect/{export}/",
    "personalization/exports/new/",
    "personalization/outbox/",
    "personalization/outbox/inspect/{message}/",
    "personalization/outbox/resend/all/",
    "personalization/tokens/",
    "personalization/tokens/new/",
    "installation/",
    "customer-data/view-as/",
    "personalization/dashboard/?range=month",
    "first-steps/",
    "glossary/",
    "groups/new/",  # with our panel
]
PAGES = ["/", "/shop/clothing/hut-socks/", "/stories/trails/the-first-night-in-a-tent-with-children/"]


KEYS = ("pk", "model", "list", "scenario", "test", "report", "item", "import", "export", "message")
# Keys of a customer that has a row, and of a model and a scenario, so that no list or form is empty.
STATE = f"""
from datetime import timedelta
from django.utils import timezone
from config.customers.models import Customer
from config.jobs.models import Outbox
from personalization.client.export import announce
from personalization.client.models import ExportRun
from personalization.server.models import ImportRun, Model, Scenario, ScenarioTest, StoredItem
from tests.personalization.screens.reported import stored
from tracking.models import Erasure

own, day = {{"customer_id": "10101"}}, timedelta(days=1)
ended = {{"starts_at": timezone.now() - 9 * day, "ends_at": timezone.now() - day}}
test = ScenarioTest.objects.create(scenario_a="popular", scenario_b="front", **own, **ended)
Erasure.objects.create(receipt="E-axe", digits="0" * 8, erased_at=1, **own)
sent = Outbox.objects.create(kind=announce.KIND, key="axe", payload={{"run": 1}}, state="done", **own)
found = (
    Customer.objects.get(customer_id="{CUSTOMER}"),
    Model.objects.get(**own, identifier="also_clicked"),
    Model.objects.get(**own, identifier="editorial_list"),
    Scenario.objects.get(**own, identifier="detail"),
    test,
    stored("10101"),
    StoredItem.objects.filter(customer_id="10101").first(),
    ImportRun.objects.latest("pk"),
    ExportRun.objects.latest("pk"),
    sent,
)
print(*(one.pk for one in found))
"""


def state(demo: Installation) -> dict[str, str]:
    demo.manage("create_customer", "--name", "Axe", "--type", "commerce", "--id", CUSTOMER)
    keys = demo.python(STATE).split()[-len(KEYS) :]
    return dict(zip(KEYS, keys, strict=True))


@pytest.fixture(scope="module")
def customer(demo: Installation) -> dict[str, str]:
    return state(demo)


WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 320, "height": 900}
# All rules run once. The dark changes colours alone, and a narrow screen everything but colours; looking at
# them takes most of the time.
COLOURS = ["color-contrast", "link-in-text-block"]
LOOKS: tuple[tuple[Any, Any, dict[str, Any]], ...] = (
    (WIDE, "light", {}),
    (WIDE, "dark", {"runOnly": COLOURS}),
    (NARROW, "light", {"rules": {name: {"enabled": False} for name in COLOURS}}),
)
# Of rules without a violation it need not list every element.
FOUND = "(rules) => axe.run(document, {resultTypes: ['violations'], ...rules})"


def some_events(demo: Installation) -> None:
    """One is stored and one refused; not those that test_debugger.py counts in the same demo."""
    for target in ("click/anybody/38/4747", "rate/anybody/38/4747"):
        requests.get(f"{demo.base}/api/10101/{target}", timeout=60)


# The back office scrolls within a box, which cuts what is wider: so the page itself is never too wide there.
# Wagtail keeps the panels of a form beside the window until they are opened.
TOO_WIDE = """
() => {
    const page = document.querySelector("#main") ?? document.documentElement;
    const end = page.getBoundingClientRect().left + page.clientWidth;
    const isBox = (one) => getComputedStyle(one).overflowX !== "visible";
    const isCut = (one) => one !== page && (isBox(one) || isCut(one.parentElement));
    const isSeen = (one) => one.checkVisibility({ opacityProperty: true });
    const isWide = (one) => isSeen(one) && one.getBoundingClientRect().right > end + 1;
    return [...page.querySelectorAll(":not(.form-side, .form-side *)")]
        .filter((one) => page.scrollWidth > page.clientWidth && isWide(one) && !isCut(one.parentElement))
        .map((one) => one.id || one.className || one.localName)
        .slice(0, 3);
}
"""


def serious(page: Page) -> list[str]:
    """What axe finds in each look, with the rule and the place; and what is too wide for a narrow screen."""
    found = []
    page.evaluate(Axe().axe_script)  # once for all looks
    for size, scheme, rules in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        violations = page.evaluate(FOUND, rules)["violations"]
        if size == NARROW:  # by now the menu has slid aside
            found += [f"wider than a narrow screen: {one}" for one in page.evaluate(TOO_WIDE)]
        found += [
            f"{scheme}, {size['width']}: {one['id']} at {node['target']}: {node['failureSummary']}"
            for one in violations
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]
    return found


@pytest.mark.parametrize("path", PAGES)
def test_it_finds_nothing_serious_on_the_demos_pages(path: str, page: Page) -> None:
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.goto(path)
    assert serious(page) == []


def test_it_finds_nothing_serious_on_the_own_screens(
    page: Page, demo: Installation, customer: dict[str, str]
) -> None:
    some_events(demo)
    log_in(page)
    found = {}
    for path in SCREENS:
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        page.goto(f"/admin/{path.format(**customer)}")
        for summary in page.locator("main details > summary").all()[:3]:
            summary.click()
        found[path] = serious(page)
    page.goto("/admin/tracking/privacy/")
    page.get_by_label("User id").fill("anybody")
    page.get_by_role("button", name="Look up").click()
    page.get_by_role("button", name="Erase for good").wait_for()
    found["a person that was looked up"] = serious(page)
    assert {path: faults for path, faults in found.items() if faults} == {}
    assert len(found) == len(SCREENS) + 1


def test_it_says_in_words_what_its_chart_shows(page: Page, demo: Installation) -> None:
    assert requests.get(f"{demo.base}/api/10101/click/anybody/38/4747", timeout=60).status_code == 204
    log_in(page)
    page.goto("/admin/tracking/debugger/?customer_id=10101&outcome=stored")
    expect(page.get_by_role("img", name="the busiest minute is")).to_be_visible()
    page.get_by_text("The numbers as a table").click()
    expect(page.get_by_role("rowheader")).to_have_count(30)
    with page.expect_response(lambda answer: "overview=1" in answer.url, timeout=90_000) as redrawn:
        pass
    assert redrawn.value.ok
    page.wait_for_timeout(500)  # drawn anew, the table is as open as before
    expect(page.get_by_role("rowheader")).to_have_count(30)
