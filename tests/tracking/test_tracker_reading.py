"""The JavaScript tracker: how much of a page was read, and for how long ..."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import BrowserContext, Page

from .shop import Shop

pytestmark = pytest.mark.browser

# A page of five screens.
LONG = '<style>body { margin: 0 }</style><div id="text" style="height: 500vh"></div>'


def read(seconds: float, *, query: str = "") -> str:
    return f'_ycq.push(["_trackTimedEvent", 1, "consume", 5, {seconds * 1000}, "u", "{query}"]);'


def visit(context: BrowserContext, shop: Shop) -> Page:
    """Open the page under a clock that can be put forward."""
    page = context.new_page()
    page.clock.install()
    page.goto(shop.url)
    return page


def pass_time(page: Page, *, seconds: float) -> None:
    page.clock.run_for(int(seconds * 1000))


def hide(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        }""",
        hidden,
    )


def percentages(events: list[str]) -> list[int]:
    """Of consumes of item 5 by u."""
    assert all(event.startswith("/api/7/consume/u/1/5?") for event in events), events
    return [int(found) for event in events for found in re.findall(r"percentage=(\d+)", event)]


def test_it_says_how_far_the_page_was_scrolled_when_the_time_is_over(
    shop: Shop, context: BrowserContext
) -> None:
    shop.show(read(20, query="?lang=eng-GB"), body=LONG)
    page = visit(context, shop)
    page.evaluate("scrollTo(0, 2 * innerHeight)")
    pass_time(page, seconds=1)
    page.evaluate("scrollTo(0, 0)")
    pass_time(page, seconds=17)
    time.sleep(0.3)
    assert shop.events == []
    pass_time(page, seconds=3)
    assert shop.wait_for(1) == ["/api/7/consume/u/1/5?lang=eng-GB&percentage=60"]


def test_it_tells_more_when_the_page_is_left_and_more_was_read(shop: Shop, context: BrowserContext) -> None:
    shop.show(read(2), body=LONG)
    page = visit(context, shop)
    pass_time(page, seconds=3)
    assert percentages(shop.wait_for(1)) == [20]
    page.evaluate("scrollTo(0, 9e9)")
    pass_time(page, seconds=1)
    assert percentages(shop.wait_for(1)) == [20]
    page.goto("about:blank")
    assert percentages(shop.wait_for(2)) == [20, 100]
    assert shop.methods == ["POST", "POST"]


@pytest.mark.parametrize("leave", ["close", "navigate"])
def test_it_tells_what_was_read_of_a_page_closed_in_the_middle(
    leave: str, shop: Shop, context: BrowserContext
) -> None:
    shop.show(read(20))
    page = visit(context, shop)
    pass_time(page, seconds=8)
    if leave == "close":
        page.close(run_before_unload=True)
    else:
        page.goto("about:blank")
    [percentage] = percentages(shop.wait_for(1))
    assert percentage == pytest.approx(40, abs=2)


def test_it_tells_nothing_of_a_page_that_was_hardly_looked_at(shop: Shop, context: BrowserContext) -> None:
    shop.show(read(20))
    page = visit(context, shop)
    pass_time(page, seconds=1)
    page.goto("about:blank")
    time.sleep(0.5)
    assert shop.events == []


def test_it_counts_no_time_while_the_page_is_hidden(shop: Shop, context: BrowserContext) -> None:
    shop.show(read(20))
    page = visit(context, shop)
    hide(page, hidden=True)
    pass_time(page, seconds=60)
    hide(page, hidden=False)
    pass_time(page, seconds=10)
    page.goto("about:blank")
    [percentage] = percentages(shop.wait_for(1))
    assert percentage == pytest.approx(50, abs=2)


def test_it_tells_when_a_page_is_hidden_for_it_may_never_be_seen_again(
    shop: Shop, context: BrowserContext
) -> None:
    shop.show(read(20))
    page = visit(context, shop)
    pass_time(page, seconds=10)
    hide(page, hidden=True)
    hide(page, hidden=False)
    hide(page, hidden=True)
    [percentage] = percentages(shop.wait_for(1))
    assert percentage == pytest.approx(50, abs=2)
    hide(page, hidden=False)
    pass_time(page, seconds=10)
    assert percentages(shop.wait_for(2))[1] == 100


def test_it_measures_the_marked_part_of_a_page(shop: Shop, context: BrowserContext) -> None:
    shop.show(read(1), body='<div data-read style="height: 200vh"></div>' + LONG)
    page = visit(context, shop)
    page.evaluate("scrollTo(0, innerHeight)")
    pass_time(page, seconds=2)
    assert percentages(shop.wait_for(1))[0] == pytest.approx(100, abs=2)


def test_it_leaves_a_given_percentage_as_it_is(shop: Shop, context: BrowserContext) -> None:
    shop.show(read(20, query="?percentage=35"), body=LONG)
    page = visit(context, shop)
    pass_time(page, seconds=10)
    hide(page, hidden=True)
    hide(page, hidden=False)
    time.sleep(0.3)
    assert shop.events == []
    pass_time(page, seconds=11)
    page.goto("about:blank")
    assert percentages(shop.wait_for(1)) == [35]


def test_it_sends_other_timed_events_once_and_only_in_time(shop: Shop, context: BrowserContext) -> None:
    shop.show(
        '_ycq.push(["_trackTimedEvent", 1, "wishlist", 5, "2000", "u"]);'
        '_ycq.push(["_trackTimedEvent", 1, "basket", 6, "90000", "u"]);'
    )
    page = visit(context, shop)
    pass_time(page, seconds=5)
    assert shop.wait_for(1) == ["/api/7/wishlist/u/1/5"]
    page.goto("about:blank")
    assert len(shop.wait_for(1)) == 1


def test_it_keeps_what_was_read_while_offline(shop: Shop, context: BrowserContext) -> None:
    shop.show(read(20))
    page = visit(context, shop)
    pass_time(page, seconds=10)
    context.set_offline(True)
    hide(page, hidden=True)
    context.set_offline(False)
    [percentage] = percentages(shop.wait_for(1))
    assert percentage == pytest.approx(50, abs=2)
