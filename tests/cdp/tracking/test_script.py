"""The script of a page in a browser, against the endpoints themselves ..."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, Request

from cdp.profiles.models import Consent, ProfileIdentifier
from tests.cdp.tracking import pages
from tests.cdp.tracking.conftest import waiting, work
from tests.cdp.tracking.test_tags import connect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB]),
    pytest.mark.urls("tests.cdp.tracking.pages"),
]

ENABLE = "document.dispatchEvent(new CustomEvent('enableTracking'))"
DISABLE = "document.dispatchEvent(new CustomEvent('disableTracking'))"
ICON = '<link rel="icon" href="data:,">'
VISIT = ICON + '{% load cdp_tracking %}{% tracking_script %}{% track_event "visit" item %}'


class Visit:
    """A visitor's page, and what it asked for beside itself and static files."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.asked: list[Request] = []
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("request", self.note)
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.url = f"{url}/page/django/"
        self.page.goto(self.url)
        self.page.wait_for_function("!!window.raptor?.setRuid")

    def note(self, request: Request) -> None:
        path = urlsplit(request.url).path
        if not path.startswith(("/page/", "/static/", "/favicon")):
            self.asked.append(request)

    def paths(self) -> list[str]:
        return [urlsplit(one.url).path for one in self.asked]

    def until(self, true: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 25
        while not true() and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert true()

    def cookies(self) -> dict[str, str]:
        return {one["name"]: one["value"] for one in self.context.cookies()}


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Callable[[str], Visit]]:
    context = browser.new_context()
    visits: list[Visit] = []

    def opened(template: str) -> Visit:
        pages.TEMPLATES["django"] = template
        visits.append(Visit(context, live_server.url))
        return visits[-1]

    yield opened
    context.close()
    assert [fault for one in visits for fault in one.faults] == []


def settle(visit: Visit) -> None:
    """Until whatever the page was about to send is sent."""
    visit.page.wait_for_timeout(700)


@pytest.mark.case("T01")
@pytest.mark.parametrize("kind", ["client", "hybrid"])
def test_it_does_nothing_before_consent(visit: Callable[[str], Visit], sites: Path, kind: str) -> None:
    connect(sites, f"{{enabled: true, tracking_type: {kind}}}")
    seen = visit(VISIT)
    seen.page.evaluate("raptor.trackEvent('search', {query: 'socks'})")
    settle(seen)
    assert (seen.paths(), seen.cookies(), waiting()) == ([], {}, [])
    assert seen.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


@pytest.mark.case("T11")
def test_it_sends_to_the_own_origin_once_it_may(visit: Callable[[str], Visit], live_server: Any) -> None:
    seen = visit(VISIT)
    seen.page.evaluate(ENABLE)
    seen.until(lambda: len(waiting()) >= 3)
    settle(seen)

    assert {urlsplit(one.url).netloc for one in seen.asked} == {urlsplit(live_server.url).netloc}
    assert sorted(set(seen.paths())) == ["/raptor/track", "/t/123456/consent"]
    calls = {one.event or one.kind: one for one in waiting()}
    assert set(calls) == {"pageview", "visit", "consent"}
    assert {one.coid for one in calls.values()} == {seen.cookies()["lodestar_visitor"]}
    assert calls["visit"].sid == seen.cookies()["lodestar_session"]
    assert calls["visit"].params["p2"] == "7"
    seen.page.goto(seen.url)
    seen.until(lambda: len(waiting()) == 5)  # consent is remembered
    seen.page.evaluate("raptor.push('setRuid', 'Jürgen')")
    seen.page.evaluate("raptor.push(['trackEvent', 'favorite', {p2: 8}])")
    seen.until(lambda: len(waiting()) == 6)
    assert (waiting()[-1].ruid, waiting()[-1].params["p2"]) == ("Jürgen", "8")


def test_it_sends_what_is_left_when_the_page_goes(visit: Callable[[str], Visit]) -> None:
    seen = visit(VISIT)
    seen.page.evaluate(ENABLE)
    seen.until(lambda: len(waiting()) == 3)
    seen.page.evaluate("raptor.trackEvent('search', {query: 'a'}); location.href = 'about:blank'")
    seen.until(lambda: len(waiting()) == 4)


@pytest.mark.case("T03")
def test_it_stops_at_once_when_consent_is_withdrawn(visit: Callable[[str], Visit]) -> None:
    seen = visit(VISIT)
    seen.page.evaluate(ENABLE)
    seen.until(lambda: len(waiting()) == 3)
    work()
    coid = seen.cookies()["lodestar_visitor"]

    seen.page.evaluate(DISABLE)
    seen.until(lambda: "lodestar_session" not in seen.cookies())
    asked = len(seen.asked)
    seen.page.evaluate("raptor.trackEvent('visit', {p2: 9})")
    settle(seen)

    assert seen.cookies() == {"lodestar_consent": "0"}
    assert len(seen.asked) == asked
    assert Consent.objects.filter(status="revoked").count() == 3
    assert not ProfileIdentifier.objects.get(kind="coid").active
    later = seen.page.request.get(
        f"{seen.url.partition('/page')[0]}/t/123456.rsa?p1=favorite&p2=9&coid={coid}&consent=1"
    )
    assert (later.status, waiting()) == (204, [])
    seen.page.goto(seen.url)
    settle(seen)
    assert (len(seen.asked), waiting()) == (asked, [])


def test_it_feeds_the_tracker_in_client_mode(visit: Callable[[str], Visit], sites: Path) -> None:
    connect(sites, "{enabled: true}")
    seen = visit(VISIT)
    seen.page.evaluate(
        "raptor.trackEvent('buy', {p2: 8, p4: 'c1#C;c11#D', p5: '10.00', p13: 4, p21: 'A 1'});"
        "raptor.trackEvent('search', {query: 'socks'})"
    )
    seen.page.evaluate(ENABLE)
    seen.until(lambda: len(seen.asked) == 5)
    settle(seen)

    who = seen.cookies()["lodestar_visitor"]
    tracked = {urlsplit(one.url).path: urlsplit(one.url).query for one in seen.asked if "/api/" in one.url}
    assert set(tracked) == {f"/api/501/click/{who}/40/7", f"/api/501/buy/{who}/40/8"}
    buy = tracked[f"/api/501/buy/{who}/40/8"]
    assert "quantity=4&orderid=A+1&fullprice=2.5EUR&consent=1" in buy
    assert "categorypath=c1%2Fc11" in buy
    assert {one.event or one.kind for one in waiting()} == {"pageview", "search", "consent"}
    seen.page.evaluate(DISABLE)
    seen.until(lambda: seen.cookies() == {"lodestar_consent": "0"})


def test_it_says_of_unknown_commands_what_they_are(visit: Callable[[str], Visit]) -> None:
    seen = visit(VISIT)
    with seen.page.expect_console_message() as said:
        seen.page.evaluate("raptor.push('trackEven', 'visit')")
    assert "Unknown command trackEven" in said.value.text
