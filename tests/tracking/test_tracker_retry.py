"""The JavaScript tracker where the network or the collector fails ..."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from .shop import Shop

pytestmark = pytest.mark.browser

CLICK = '_ycq.push(["_trackEvent", 1, "click", 5, "u"]);'


def visit(context: BrowserContext, shop: Shop, path: str = "") -> Page:
    page = context.new_page()
    page.goto(shop.url + path)
    return page


def pass_time(page: Page, *, seconds: float) -> None:
    """The page's clock goes on by itself, too; see :func:`clock`."""
    page.clock.fast_forward(int(seconds * 1000))


@pytest.fixture(autouse=True)
def _clock(context: BrowserContext) -> None:
    """A clock that can be put forward: the tracker waits for seconds before it tries again."""
    context.clock.install()


def queue(page: Page) -> list[Any]:
    """Addresses and times of what was not confirmed."""
    found = page.evaluate("localStorage.lodestar || '[[]]'")
    waiting: list[Any] = json.loads(found)[0]
    return waiting


def test_it_keeps_nothing_of_what_was_stored(shop: Shop, context: BrowserContext) -> None:
    shop.show(CLICK)
    page = visit(context, shop)
    shop.wait_for(1)
    assert page.evaluate("localStorage.length") == 0


def test_it_sends_again_when_the_network_is_back(shop: Shop, context: BrowserContext) -> None:
    shop.show()
    page = visit(context, shop)
    context.set_offline(True)
    page.evaluate(CLICK)
    time.sleep(0.5)
    assert shop.events == []
    assert len(queue(page)) == 1

    context.set_offline(False)

    assert shop.wait_for(1) == ["/api/7/click/u/1/5"]
    assert queue(page) == []


def test_it_sends_on_the_next_page_what_was_not_confirmed(shop: Shop, context: BrowserContext) -> None:
    shop.show()
    page = visit(context, shop)
    context.set_offline(True)
    page.evaluate(CLICK)
    time.sleep(0.5)
    page.close()
    context.set_offline(False)
    assert shop.events == []

    visit(context, shop, "next")

    assert shop.wait_for(1) == ["/api/7/click/u/1/5"]


@pytest.mark.parametrize("status", [503, 429])
def test_it_repeats_with_the_same_id_what_could_not_be_stored(
    status: int, shop: Shop, context: BrowserContext
) -> None:
    shop.show()
    shop.refusals = [(status, {"Retry-After": "1"})]
    page = visit(context, shop)
    page.evaluate(CLICK)
    shop.heard(1)
    pass_time(page, seconds=10)
    assert shop.heard(2) == ["/api/7/click/u/1/5"] * 2
    assert len(set(shop.event_ids())) == 1
    assert queue(page) == []


@pytest.mark.parametrize("retry_after", ["", "0", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_it_waits_some_seconds_where_the_answer_does_not_say(
    retry_after: str, shop: Shop, context: BrowserContext
) -> None:
    shop.show(CLICK)
    shop.refusals = [(503, {"Retry-After": retry_after} if retry_after else {})]
    page = visit(context, shop)
    shop.heard(1)
    pass_time(page, seconds=5)
    assert len(shop.heard(1)) == 1
    pass_time(page, seconds=5)
    assert len(shop.heard(2)) == 2


def test_it_sends_nothing_before_the_time_it_was_told_to_wait(shop: Shop, context: BrowserContext) -> None:
    shop.show()
    shop.refusals = [(503, {"Retry-After": "60"})]
    page = visit(context, shop)
    page.evaluate(CLICK)
    shop.heard(1)
    page.evaluate(CLICK)
    page.goto(shop.url + "next")
    page.evaluate(CLICK)
    pass_time(page, seconds=50)
    assert len(shop.heard(1)) == 1
    assert len(queue(page)) == 3

    pass_time(page, seconds=11)

    shop.heard(4)
    assert len(set(shop.event_ids())) == 3
    assert queue(page) == []


@pytest.mark.parametrize("status", [400, 404])
def test_it_never_repeats_what_was_refused(status: int, shop: Shop, context: BrowserContext) -> None:
    shop.show()
    shop.refusals = [(status, {})]
    page = visit(context, shop)
    page.evaluate(CLICK)
    shop.wait_for(1)
    assert queue(page) == []
    visit(context, shop)
    assert len(shop.wait_for(1)) == 1


def test_it_keeps_the_latest_50_of_a_day(shop: Shop, context: BrowserContext) -> None:
    shop.show()
    page = visit(context, shop)
    context.set_offline(True)
    old = ["/api/7/click/u/1/999?eventid=old", (time.time() - 86_500) * 1000]
    page.evaluate("old => { localStorage.lodestar = JSON.stringify([[old], 0]) }", old)
    page.evaluate("for (let n = 1; n <= 60; n++) _ycq.push(['_trackEvent', 1, 'click', n, 'u'])")
    assert [one[0].split("?")[0].rsplit("/")[-1] for one in queue(page)] == [str(n) for n in range(11, 61)]
    context.set_offline(False)
    assert len(shop.wait_for(50)) == 50


def test_it_survives_rubbish_in_the_storage(shop: Shop, context: BrowserContext) -> None:
    shop.show(CLICK)
    page = visit(context, shop)
    for number, rubbish in enumerate(("", "x", "7", "null", "[7]", '[[7],"x"]', "[[null],0]", "{}"), start=2):
        page.evaluate("rubbish => { localStorage.lodestar = rubbish }", rubbish)
        page.reload()
        assert shop.wait_for(number)[-1] == "/api/7/click/u/1/5"
        assert queue(page) == []


def test_it_sends_without_storage(shop: Shop, context: BrowserContext) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked') } })"
    )
    shop.show(CLICK)
    shop.refusals = [(503, {"Retry-After": "1"})]
    page = visit(context, shop)
    shop.heard(1)
    pass_time(page, seconds=10)
    assert shop.heard(2) == ["/api/7/click/u/1/5"] * 2
    assert len(set(shop.event_ids())) == 1
