"""The JavaScript tracker ..."""

from __future__ import annotations

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

pytestmark = pytest.mark.browser
TRACKER = Path(__file__).resolve().parent.parent.parent / "static/lodestar/tracker.js"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-1'; connect-src 'self'; img-src 'self'; frame-src 'self'"
)
PAGE = """<!doctype html><title>Shop</title><body>
<script nonce="1">var _ycq = _ycq || []; {early}</script>
<script async src="/tracker.js" {attributes}></script>{body}"""


class Site(ThreadingHTTPServer):
    """Serves one page and the tracker, and remembers the events that arrive."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.page = ""
        self.events: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def wait_for(self, count: int) -> list[str]:
        """The events without their ids, once ``count`` have arrived and no more come."""
        deadline = time.monotonic() + 15
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        ids = [parse_qs(urlsplit(event).query)["eventid"][0] for event in self.events]
        assert len(set(ids)) == len(ids)
        assert all(
            re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", i)
            for i in ids
        )
        return [re.sub(r"[?&]eventid=[^&]*", "", event) for event in self.events]


class Visit(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            self.server.events.append(self.path)
            self.answer(204, "", b"")
        elif self.path == "/tracker.js":
            self.answer(200, "text/javascript", TRACKER.read_bytes())
        elif self.path == "/framed":
            self.answer(200, "text/html", b'<!doctype html><iframe src="/"></iframe>')
        else:
            self.answer(200, "text/html", self.server.page.encode())

    do_POST = do_GET

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def site():
    made = Site()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def context(browser):
    made = browser.new_context()
    yield made
    made.close()


def show(site, early="", *, attributes='data-customer="7"', body=""):
    site.page = PAGE.format(early=early, attributes=attributes, body=body)


def cookie(context) -> dict:
    [found] = [c for c in context.cookies() if c["name"] == "lodestar_visitor"]
    return found


def test_is_small():
    assert TRACKER.stat().st_size < 6 * 1024


def test_sends_what_was_queued_before_it_was_loaded(site, context):
    show(
        site,
        '_ycq.push(["_trackEvent", 1, "click", "5", "", "?lang=eng-GB"]); _ycq.push(["_setAccount", "10"]);',
        attributes="",
    )
    context.new_page().goto(site.url)
    [event] = site.wait_for(1)
    visitor = cookie(context)
    assert event == f"/api/10/click/{visitor['value']}/1/5?lang=eng-GB"
    assert visitor["sameSite"] == "Lax"
    assert visitor["expires"] - time.time() == pytest.approx(90 * 86400, abs=600)


def test_sends_each_command_the_documented_way(site, context):
    show(site)
    page = context.new_page()
    page.goto(site.url)
    page.wait_for_function("!Array.isArray(_ycq)")
    page.evaluate(
        """() => {
        _ycq.push(["_trackEvent", 1, "buy", 129, "a/b ü", "?fullprice=4.44EUR&quantity=2"]);
        _ycq.push(["_trackEvent", 1, "rendered", "1,2,3", "u"]);
        _ycq.push(["_trackTimedEvent", 1, "consume", 5, "50", "u", "?percentage=60"]);
        _ycq.push(["_login", "cookie", "john"]);
        _ycq.push(["_login", "john", "john"]);
        _ycq.push(["_unknown"]);
        }"""
    )
    assert sorted(site.wait_for(4)) == [
        "/api/7/buy/a%2Fb%20%C3%BC/1/129?fullprice=4.44EUR&quantity=2",
        "/api/7/consume/u/1/5?percentage=60",
        "/api/7/login/cookie/john",
        "/api/7/rendered/u/1/1,2,3",
    ]


@pytest.mark.parametrize("name", ["YCID", "recommendation-session-id"])
def test_takes_an_older_cookie_over(site, context, name):
    context.add_cookies([{"name": name, "value": "known-before", "url": site.url}])
    show(site, '_ycq.push(["_trackEvent", 1, "click", 5]);')
    context.new_page().goto(site.url)
    assert site.wait_for(1) == ["/api/7/click/known-before/1/5"]
    assert cookie(context)["value"] == "known-before"


def test_counts_only_the_time_a_page_is_visible(site, context):
    show(site)
    page = context.new_page()
    page.goto(site.url)
    page.wait_for_function("!Array.isArray(_ycq)")
    page.evaluate(
        """() => {
        window.hiddenNow = true;
        Object.defineProperty(document, "hidden", { get: () => window.hiddenNow });
        document.dispatchEvent(new Event("visibilitychange"));
        _ycq.push(["_trackTimedEvent", 1, "consume", 5, 100, "u"]);
        }"""
    )
    time.sleep(0.4)
    assert site.events == []
    page.evaluate(
        "() => { window.hiddenNow = false; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    assert site.wait_for(1) == ["/api/7/consume/u/1/5"]


PING = 'data-recommendation-ping-api="/api/7/clickrecommended/u/1/5?scenario=front"'
LINK = f'<a href="/#there" {PING} {{}}>Five</a>'
RENDERED = 'data-recommendation-rendered-api="/api/7/rendered/u/1/5?scenario=front"'


def test_pings_a_recommendation_once_it_is_seen_and_when_it_is_followed(site, context):
    show(site, body=LINK.format(RENDERED))
    page = context.new_page()
    page.goto(site.url)
    assert site.wait_for(1) == ["/api/7/rendered/u/1/5?scenario=front"]
    page.click("a")
    assert site.wait_for(2)[1] == "/api/7/clickrecommended/u/1/5?scenario=front"


def test_counts_no_preview_in_a_frame(site, context):
    show(site, body=LINK.format(RENDERED))
    page = context.new_page()
    page.goto(site.url + "framed")
    frame = page.frame_locator("iframe")
    frame.locator("a").click()
    time.sleep(0.3)
    assert site.events == []
