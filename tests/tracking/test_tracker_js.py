"""The JavaScript tracker: what its commands and attributes send ..."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from .shop import GUID, TRACKER, Shop

pytestmark = pytest.mark.browser


def cookie(context: BrowserContext, name: str = "lodestar_visitor") -> Any:
    [found] = [c for c in context.cookies() if c["name"] == name]
    return found


def visit(context: BrowserContext, shop: Shop) -> Page:
    """Open the page; the tracker has run when it is loaded."""
    page = context.new_page()
    page.goto(shop.url)
    return page


def test_it_is_small() -> None:
    assert TRACKER.stat().st_size <= 6144


def test_it_sends_what_was_queued_before_it_was_loaded(shop: Shop, context: BrowserContext) -> None:
    shop.show(
        '_ycq.push(["_trackEvent", 1, "click", "5", "", "?lang=eng-GB"]); _ycq.push(["_setAccount", "10"]);',
        attributes="",
    )
    visit(context, shop)
    [event] = shop.wait_for(1)
    visitor = cookie(context)
    assert event == f"/api/10/click/{visitor['value']}/1/5?lang=eng-GB"
    assert GUID.fullmatch(visitor["value"])
    assert visitor["sameSite"] == "Lax"
    assert visitor["expires"] - time.time() == pytest.approx(90 * 86400, abs=600)


def test_it_sends_each_command_the_documented_way(shop: Shop, context: BrowserContext) -> None:
    shop.show()
    page = visit(context, shop)
    page.evaluate(
        """() => {
        _ycq.push(["_trackEvent", 1, "buy", 129, "a/b ü", "?fullprice=4.44EUR&quantity=2"]);
        _ycq.push(["_trackEvent", 1, "rendered", "1,2,3", "u"],
            ["_trackEvent", 1, "basket", 7, 0, "lang=fre-FR"]);
        _ycq.push(["_trackTimedEvent", 1, "consume", 5, "50", "u", "?percentage=60"]);
        _ycq.push(["_trackEvent", "", "triggeropened", "", "u", "?triggername=sale"]);
        _ycq.push(["_login", "cookie", "john"]);
        _ycq.push(["_login", "john", "john"]);
        _ycq.push(["_trackPageview", 8, "u"]);
        }"""
    )
    assert sorted(shop.wait_for(7)) == [
        "/api/7/basket/0/1/7?lang=fre-FR",
        "/api/7/buy/a%2Fb%20%C3%BC/1/129?fullprice=4.44EUR&quantity=2",
        "/api/7/click/u/1/8",
        "/api/7/consume/u/1/5?percentage=60",
        "/api/7/login/cookie/john",
        "/api/7/rendered/u/1/1,2,3",
        "/api/7/triggeropened/u?triggername=sale",
    ]
    assert set(shop.methods) == {"POST"}


WRONG = (
    '["_unknown"]',
    "null",
    "{}",
    '"_trackEvent"',
    "[]",
    '["_trackTimedEvent", 1, "consume", 5, "soon", "u"]',
    '["_trackTimedEvent", 1, "consume", 5, -1, "u"]',
    '["_trackEvent", 1, "click", "\\ud800", "u"]',
    '["_login", "u", ""]',
)


def test_it_goes_on_after_commands_it_cannot_carry_out(shop: Shop, context: BrowserContext) -> None:
    wrong = "".join(f"_ycq.push({command});" for command in WRONG)
    shop.show(wrong + '_ycq.push(["_trackEvent", 1, "click", 5, "u"]);')
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    visit(context, shop).evaluate(f"() => {{ {wrong} }}")
    time.sleep(0.5)
    assert shop.wait_for(1) == ["/api/7/click/u/1/5"]
    assert errors == []


@pytest.mark.parametrize("name", ["YCID", "recommendation-session-id"])
def test_it_takes_an_older_cookie_over(name: str, shop: Shop, context: BrowserContext) -> None:
    context.add_cookies([{"name": name, "value": "known-before", "url": shop.url}])
    shop.show('_ycq.push(["_trackEvent", 1, "click", 5]);')
    visit(context, shop)
    assert shop.wait_for(1) == ["/api/7/click/known-before/1/5"]
    assert cookie(context)["value"] == "known-before"


def test_it_reports_the_first_view_of_a_recommended_page_as_followed(
    shop: Shop, context: BrowserContext
) -> None:
    shop.show(
        '_ycq.push(["_trackEvent", 1, "click", 5, "u"]); _ycq.push(["_trackEvent", 1, "click", 6, "u"]);'
    )
    context.new_page().goto(shop.url + "?a=1&ycreco=true")
    assert sorted(shop.wait_for(3)) == [
        "/api/7/click/u/1/5",
        "/api/7/click/u/1/6",
        "/api/7/clickrecommended/u/1/5?scenario=unknown",
    ]


def test_it_runs_once_where_it_is_included_twice(shop: Shop, context: BrowserContext) -> None:
    shop.show(
        '_ycq.push(["_trackEvent", 1, "click", 5, "u"]);',
        body='<script src="/tracker.js" data-customer="7"></script>'
        '<a href="#x" data-ycq=\'[["_trackEvent", 1, "basket", 5, "u"]]\'>x</a>',
    )
    page = visit(context, shop)
    page.click("a")
    page.click("a", button="right")
    assert shop.wait_for(2) == ["/api/7/click/u/1/5", "/api/7/basket/u/1/5"]


ATTRIBUTES = """<!doctype html><title>Shop</title><body>
<button data-ycq='[["_trackEvent", "1", "basket", "5", "", "?lang=eng-GB"]]'><b>Basket</b></button>
<script async src="/tracker.js" data-customer="7"
  data-ycq='[["_trackEvent", "1", "click", "5", ""],
    ["_trackTimedEvent", "1", "consume", "5", "250", ""]]'></script>"""


def test_it_needs_no_inline_script_at_all(shop: Shop, context: BrowserContext) -> None:
    shop.policy = "default-src 'none'; script-src 'self'; connect-src 'self'"
    shop.page = ATTRIBUTES
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(shop.url)
    shop.wait_for(2)
    page.click("b")
    visitor = cookie(context)["value"]
    assert shop.wait_for(3) == [
        f"/api/7/click/{visitor}/1/5",
        f"/api/7/consume/{visitor}/1/5?percentage=100",
        f"/api/7/basket/{visitor}/1/5?lang=eng-GB",
    ]
    assert [line for line in said if "favicon" not in line] == []


def test_it_names_a_command_that_it_does_not_know(shop: Shop, context: BrowserContext) -> None:
    shop.show()
    page = visit(context, shop)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("""() => {
        _ycq.push(["_trackEvnt", 1, "click", 5], null, ["_trackEvent", 1, "click", 5, "u"]);
    }""")
    assert shop.wait_for(1) == ["/api/7/click/u/1/5"]
    assert [line.split(" [")[0] for line in said[:2]] == [
        "Unknown command _trackEvnt",
        "Unknown command undefined null",
    ]


PING = 'data-recommendation-ping-api="/api/7/clickrecommended/u/1/5?scenario=front"'
QUERY = "?scenario=front&categorypath=/1/2/&requestuuid=r-1"
SEEN = 'data-recommendation-rendered-api="/api/7/rendered/u/{}/{}' + QUERY + '"'


def cards(*items: tuple[int, int], style: str = "") -> str:
    return "".join(
        f'<p style="{style}"><a href="/#there" {PING} {SEEN.format(kind, number)}>Item</a></p>'
        for kind, number in items
    )


def test_it_reports_a_list_in_one_request_once_it_is_seen(shop: Shop, context: BrowserContext) -> None:
    shop.show(body=cards((1, 5), (1, 6), (2, 7), (1, 8), style="margin-bottom: 900px"))
    page = visit(context, shop)
    assert shop.wait_for(1) == [f"/api/7/rendered/u/1/5,6,8{QUERY}"]
    page.mouse.wheel(0, 1700)
    assert shop.wait_for(2)[1] == f"/api/7/rendered/u/2/7{QUERY}"


def test_it_reports_no_list_that_was_not_seen(shop: Shop, context: BrowserContext) -> None:
    shop.show(body='<div style="height: 3000px"></div>' + cards((1, 5), (1, 6)))
    page = visit(context, shop)
    time.sleep(0.5)
    assert shop.events == []
    page.mouse.wheel(0, 5000)
    assert shop.wait_for(1) == [f"/api/7/rendered/u/1/5,6{QUERY}"]


def test_it_reports_a_list_that_comes_later(shop: Shop, context: BrowserContext) -> None:
    shop.show()
    page = visit(context, shop)
    page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", cards((1, 5), (1, 6)))
    assert shop.wait_for(1) == [f"/api/7/rendered/u/1/5,6{QUERY}"]


def test_it_reports_that_a_recommendation_was_followed(shop: Shop, context: BrowserContext) -> None:
    shop.show(body=cards((1, 5)))
    page = visit(context, shop)
    shop.wait_for(1)
    page.click("a")
    assert shop.wait_for(2)[1] == "/api/7/clickrecommended/u/1/5?scenario=front"


def test_it_counts_no_preview_in_a_frame(shop: Shop, context: BrowserContext) -> None:
    shop.show(body=cards((1, 5)))
    page = context.new_page()
    page.goto(shop.url + "framed")
    page.frame_locator("iframe").locator("a").click()
    time.sleep(0.3)
    assert shop.events == []
