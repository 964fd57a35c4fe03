"""axe finds nothing serious on the own screens of the back office and on the demo's pages, light and dark."""

from __future__ import annotations

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.flows.installation import Installation
from tests.flows.test_editor import log_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

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
    "personalization/exports/",
    "personalization/exports/new/",
    "personalization/outbox/",
    "personalization/outbox/resend/all/",
    "personalization/tokens/",
    "personalization/tokens/new/",
    "installation/",
    "personalization/dashboard/?range=month",
    "first-steps/",
    "glossary/",
    "groups/new/",  # with our panel
]
PAGES = ["/", "/shop/clothing/hut-socks/", "/stories/trails/the-first-night-in-a-tent-with-children/"]


@pytest.fixture(scope="module")
def customer(demo: Installation) -> dict[str, str]:
    """Keys of a customer that has a row, and of a model and a scenario, so that no list or form is empty."""
    demo.manage("create_customer", "--name", "Axe", "--type", "commerce", "--id", CUSTOMER)
    keys = demo.python(
        "from config.customers.models import Customer\n"
        "from datetime import timedelta\n"
        "from tests.personalization.screens.reported import stored\n"
        "from django.utils import timezone\n"
        "from personalization.server.models import Model, Scenario, ScenarioTest\n"
        "from tracking.models import Erasure\n"
        "Erasure.objects.create(customer_id='10101', receipt='E-axe', digits='0' * 8, erased_at=1)\n"
        "test = ScenarioTest.objects.create(customer_id='10101', scenario_a='popular', scenario_b='front',"
        " starts_at=timezone.now() - timedelta(days=9), ends_at=timezone.now() - timedelta(days=1))\n"
        f"print(Customer.objects.get(customer_id='{CUSTOMER}').pk,"
        " Model.objects.get(customer_id='10101', identifier='also_clicked').pk,"
        " Model.objects.get(customer_id='10101', identifier='editorial_list').pk,"
        " Scenario.objects.get(customer_id='10101', identifier='detail').pk, test.pk,"
        " stored('10101').pk)"
    ).split()[-6:]
    return dict(zip(("pk", "model", "list", "scenario", "test", "report"), keys, strict=True))


WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 360, "height": 900}
# Colours are the same on a narrow screen, so one scheme is enough there.
# All rules run; of those without a violation it need not list every element.
FOUND = "axe.run(document, {resultTypes: ['violations']})"
LOOKS = ((WIDE, "light"), (WIDE, "dark"), (NARROW, "light"))


def serious(page: Page) -> list[str]:
    """What axe finds in each look, with the rule and the place; and what is too wide for a narrow screen."""
    found = []
    page.evaluate(Axe().axe_script)  # once for all looks
    for size, scheme in LOOKS:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if size == NARROW and not page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"):
            found.append("wider than a narrow screen")
        violations = page.evaluate(FOUND)["violations"]
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
    # Not those that test_debugger.py counts in the same demo.
    for target in ("click/anybody/38/4747", "rate/anybody/38/4747"):
        requests.get(f"{demo.base}/api/10101/{target}", timeout=60)
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
