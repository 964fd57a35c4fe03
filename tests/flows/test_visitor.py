"""A visitor of the demo site, with real clicks in a real browser ..."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Locator, Page, expect

from content.demo.catalogue import entries
from tests.flows.installation import Installation, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SEA = {"diving", "beach", "islands", "sea", "sailing"}
DIVER_OPENS = (
    "Your first breath under water",
    "Eleven good manners on a reef",
    "The slow ferry is the holiday",
)


def block(page: Page, scenario: str) -> Locator:
    return page.locator(f'section.recommendations[data-scenario="{scenario}"]')


def titles(page: Page, scenario: str) -> list[str]:
    return block(page, scenario).locator("h3").all_inner_texts()


def links(page: Page, scenario: str) -> list[str]:
    found = block(page, scenario).locator("h3 a").all()
    return [str(link.get_attribute("href")) for link in found]


def read_story(page: Page, title: str) -> None:
    """Go to a story of the sea by the menus and open it; returns when its view has been stored."""
    page.locator("nav.menu a", has_text="Stories").click()
    page.locator("main nav a", has_text="Sea & Shore").click()
    with page.expect_response(re.compile(r"/api/10101/click/")) as stored:
        page.locator("article.card h3 a", has_text=title).last.click()
    expect(page.locator("h1")).to_have_text(title)
    assert stored.value.status == 204


def read_about_the_sea(page: Page) -> None:
    for title in DIVER_OPENS:
        read_story(page, title)
    page.locator("header a.brand").click()


def front_is_personal(page: Page) -> bool:
    page.goto("/")
    return bool(reasons(page))


def reasons(page: Page) -> set[str]:
    """Why the front page recommends: of the whole list, or of each of its cards."""
    lines = block(page, "front").locator(".recommendations__reason, .recommendation__reason")
    return set(lines.all_inner_texts())


def test_it_recommends_by_what_the_visitor_opened_and_says_why(page: Page) -> None:
    page.goto("/")
    fresh = titles(page, "front")
    assert len(fresh) == 4
    assert not reasons(page)

    read_about_the_sea(page)

    eventually(lambda: front_is_personal(page), what="a personal front page")
    shown = titles(page, "front")
    assert block(page, "front").get_attribute("data-source") == "engine"
    assert shown != fresh
    assert reasons(page) <= {f"Because you viewed {title}" for title in DIVER_OPENS}
    assert not set(shown) & set(DIVER_OPENS)
    tags = {entry.texts["en"].title: set(entry.tags) for entry in entries()}
    assert sum(bool(tags[title] & SEA) for title in shown) >= 3, shown


def test_it_leaves_other_visitors_as_they_were(page: Page) -> None:
    page.goto("/")
    before = titles(page, "front")
    read_about_the_sea(page)
    eventually(lambda: front_is_personal(page), what="a personal front page")

    page.context.clear_cookies()
    page.goto("/")

    assert titles(page, "front") == before


def test_it_stores_that_a_recommendation_was_seen_and_clicked(page: Page, demo: Installation) -> None:
    page.goto("/")
    first = block(page, "front").locator("h3 a").first
    target = str(first.get_attribute("href"))
    with page.expect_response(re.compile(r"/api/10101/rendered/")) as seen:
        first.scroll_into_view_if_needed()
    # The request outlives the page that is left; whether the browser reports its answer is chance.
    with page.expect_request(re.compile(r"/api/10101/clickrecommended/")) as clicked:
        first.click()
    expect(page).to_have_url(re.compile(re.escape(target) + "$"))
    assert seen.value.status == 204

    request = re.search(r"requestuuid=([0-9a-f-]+)", clicked.value.url)
    assert request is not None
    both = {("clickrecommended", "front"), ("rendered", "front")}
    eventually(lambda: both <= set(stored_events(demo, request[1])), what="both events in the table")


def stored_events(demo: Installation, request_uuid: str) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(demo.var_dir / "events.sqlite3")) as database:
        return database.execute(
            "SELECT event, scenario FROM tracking_event WHERE request_uuid = ?", (request_uuid,)
        ).fetchall()


def test_it_shows_what_is_popular_in_the_category(page: Page) -> None:
    page.goto("/")
    page.locator("nav.menu a", has_text="Stories").click()
    page.locator("main nav a", has_text="Trails").click()

    assert block(page, "category").get_attribute("data-source") == "engine"
    found = links(page, "category")
    assert len(found) == 4
    assert all(link.startswith("/stories/trails/") for link in found), found


def test_it_shows_what_was_bought_together(page: Page) -> None:
    page.goto("/shop/")
    page.locator("section:not(.recommendations) article.card.product h3 a").first.click()

    expect(block(page, "also_bought").locator("h2")).to_have_text("Customers also bought")
    assert block(page, "also_bought").get_attribute("data-source") == "engine"
    found = links(page, "also_bought")
    assert found
    assert all(link.startswith("/shop/") for link in found), found
    assert block(page, "detail").get_attribute("data-source") == "engine"


def test_it_stores_a_purchase_with_its_price(page: Page, demo: Installation) -> None:
    page.goto("/shop/clothing/hut-socks/")
    with page.expect_response(re.compile(r"/api/10101/basket/")) as basket:
        page.get_by_role("button", name="Add to basket").click()
    with page.expect_response(re.compile(r"/api/10101/buy/")) as bought:
        page.get_by_role("button", name="Buy now").click()

    assert (basket.value.status, bought.value.status) == (204, 204)
    with closing(sqlite3.connect(demo.var_dir / "events.sqlite3")) as database:
        [(quantity, price, currency)] = database.execute(
            "SELECT quantity, price, currency FROM tracking_event WHERE event = 'buy'"
            " ORDER BY id DESC LIMIT 1"
        ).fetchall()
    assert quantity == 1
    assert price > 0
    assert currency == "EUR"


def test_the_basket_shows_what_lies_in_it(page: Page) -> None:
    page.goto("/shop/clothing/hut-socks/")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.locator("[data-basket-count]")).to_have_text("1")
    page.goto("/")
    basket = page.locator("details.basket")
    basket.locator("summary").click()
    expect(basket.get_by_role("link")).to_have_attribute("href", "/shop/clothing/hut-socks/")
    with page.expect_response(re.compile(r"/api/10101/deletefrombasket/")) as removed:
        basket.get_by_role("button", name="Remove").click()
    assert removed.value.status == 204
    expect(basket).to_contain_text("Your basket is empty.")
    expect(basket.get_by_role("button", name="Buy everything")).to_be_hidden()


def test_it_buys_everything_in_the_basket(page: Page) -> None:
    page.goto("/shop/clothing/hut-socks/")
    for count in ("1", "2"):
        page.get_by_role("button", name="Add to basket").click()
        expect(page.locator("[data-basket-count]")).to_have_text(count)
    page.locator("details.basket summary").click()
    bought = []
    page.on("response", lambda answer: bought.append(answer.status) if "/buy/" in answer.url else None)
    page.get_by_role("button", name="Buy everything").click()
    expect(page.locator(".toast")).to_contain_text("nothing was charged")
    expect(page.locator("[data-basket-count]")).to_have_text("0")
    page.wait_for_timeout(1000)
    assert bought == [204, 204]


def test_it_speaks_french_to_french_visitors(page: Page) -> None:
    page.goto("/")
    page.locator("nav.languages a", has_text="FR").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")

    french = {entry.texts["fr"].title for entry in entries()}
    for scenario in ("front", "popular"):
        assert block(page, scenario).get_attribute("data-source") == "engine"
        assert set(titles(page, scenario)) <= french
        assert all(link.startswith("/fr/") for link in links(page, scenario))

    with page.expect_response(re.compile(r"/api/10102/click/")) as stored:
        block(page, "front").locator("h3 a").first.click()
    assert stored.value.status == 204
    page.locator("header a.brand").click()
    eventually(lambda: french_reason(page), what="a French reason")


def french_reason(page: Page) -> bool:
    page.goto("/fr/")
    found = reasons(page)
    return bool(found) and all(reason.startswith("Parce que vous avez") for reason in found)


@pytest.mark.parametrize(
    "path",
    ["/", "/places-tastes/", "/stories/sea-shore/", "/shop/clothing/hut-socks/", "/fr/", "/admin/login/"],
)
def test_it_calls_no_foreign_host_and_breaks_no_policy(page: Page, path: str) -> None:
    """The fixture fails on console errors, of which a broken policy is one, and on foreign hosts."""
    answer = page.goto(path, wait_until="networkidle")

    assert answer is not None
    assert answer.status == 200
