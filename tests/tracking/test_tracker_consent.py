"""The JavaScript tracker and consent ..."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from .shop import Shop

pytestmark = pytest.mark.browser

CLICK = '_ycq.push(["_trackEvent", 1, "click", 5, ""]);'
PING = 'data-recommendation-ping-api="/api/7/clickrecommended/u/1/5?scenario=front"'
REQUIRED = 'data-customer="7" data-consent="required"'


def visit(context: BrowserContext, shop: Shop) -> Page:
    page = context.new_page()
    page.goto(shop.url)
    return page


def decide(page: Page, answer: Any) -> None:
    page.evaluate("answer => { _ycq.push(['_consent', answer]) }", answer)


def cookies(context: BrowserContext) -> dict[str, Any]:
    return {found["name"]: found["value"] for found in context.cookies()}


def stored(page: Page) -> int:
    count: int = page.evaluate("localStorage.length + sessionStorage.length")
    return count


def nothing_is_left(shop: Shop, context: BrowserContext, page: Page) -> bool:
    time.sleep(0.5)
    return shop.events == [] and not cookies(context) and stored(page) == 0


@pytest.mark.parametrize(
    ("early", "attributes"),
    [(CLICK, REQUIRED), ('_ycq.push(["_consentRequired"]);' + CLICK, 'data-customer="7"')],
)
def test_it_leaves_no_trace_before_consent_and_sends_what_it_held_after(
    early: str, attributes: str, shop: Shop, context: BrowserContext
) -> None:
    shop.show(early, attributes=attributes, body=f'<a href="#x" {PING}>x</a>')
    page = visit(context, shop)
    page.click("a")
    assert nothing_is_left(shop, context, page)

    decide(page, answer=True)

    events = shop.wait_for(2)
    known = cookies(context)
    assert known["lodestar_consent"] == "1"
    assert events == [
        f"/api/7/click/{known['lodestar_visitor']}/1/5?consent=1",
        "/api/7/clickrecommended/u/1/5?scenario=front&consent=1",
    ]


def test_it_forgets_what_it_held_when_the_page_is_left_undecided(shop: Shop, context: BrowserContext) -> None:
    shop.show(CLICK, attributes=REQUIRED)
    page = visit(context, shop)
    shop.show(attributes=REQUIRED)
    page.goto(shop.url + "next")
    decide(page, answer=True)
    time.sleep(0.5)
    assert shop.events == []


def test_it_remembers_consent_for_13_months(shop: Shop, context: BrowserContext) -> None:
    shop.show(CLICK, attributes=REQUIRED)
    decide(visit(context, shop), answer=True)
    shop.wait_for(1)
    [consent] = [found for found in context.cookies() if found["name"] == "lodestar_consent"]
    assert consent["sameSite"] == "Lax"
    assert consent["expires"] - time.time() == pytest.approx(390 * 86400, abs=600)

    visit(context, shop)

    assert shop.wait_for(2)[1].endswith("/1/5?consent=1")


@pytest.mark.parametrize("answer", [False, "true"])
def test_it_sends_and_stores_nothing_after_anything_but_a_clear_yes(
    answer: Any, shop: Shop, context: BrowserContext
) -> None:
    shop.show(CLICK, attributes=REQUIRED)
    page = visit(context, shop)
    decide(page, answer)
    page.evaluate(CLICK)
    page.close()
    page = visit(context, shop)
    time.sleep(0.5)
    assert shop.events == []
    assert cookies(context) == {"lodestar_consent": "0"}
    assert stored(page) == 0


def test_it_deletes_the_visitor_when_consent_is_withdrawn(shop: Shop, context: BrowserContext) -> None:
    shop.show(CLICK)  # a site that does not ask, and honours a refusal all the same
    context.clock.install()
    context.add_cookies([{"name": "YCID", "value": "known-before", "url": shop.url}])
    page = visit(context, shop)
    shop.wait_for(1)
    shop.refusals = [(503, {"Retry-After": "1"})]
    page.evaluate(CLICK)
    heard = len(shop.heard(2))
    assert stored(page) == 1

    decide(page, answer=False)
    page.evaluate(CLICK)

    page.clock.fast_forward(20_000)  # longer than the tracker waits before it tries again
    time.sleep(0.5)
    assert cookies(context) == {"lodestar_consent": "0"}
    assert stored(page) == 0
    assert len(shop.events) == heard


def test_it_begins_anew_when_consent_is_given_after_a_refusal(shop: Shop, context: BrowserContext) -> None:
    shop.show(CLICK)
    page = visit(context, shop)
    shop.wait_for(1)
    before = cookies(context)["lodestar_visitor"]
    decide(page, answer=False)
    page.evaluate(CLICK)
    decide(page, answer=True)
    page.evaluate(CLICK)
    events = shop.wait_for(2)
    after = cookies(context)["lodestar_visitor"]
    assert after != before
    assert events[1] == f"/api/7/click/{after}/1/5?consent=1"


def test_it_keeps_a_decision_for_the_page_where_cookies_are_blocked(
    shop: Shop, context: BrowserContext
) -> None:
    shop.show(attributes=REQUIRED)
    page = visit(context, shop)
    page.evaluate("Object.defineProperty(document, 'cookie', { get: () => '', set: () => {} })")
    decide(page, answer=False)
    page.evaluate(CLICK)
    time.sleep(0.3)
    assert shop.events == []
    decide(page, answer=True)
    page.evaluate(CLICK + CLICK)
    first, second = shop.wait_for(2)
    assert first == second
