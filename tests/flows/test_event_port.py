"""The demo with the dedicated collector: the browser sends events to a second port ..."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.conftest import CopyOfDemo
from tests.flows.installation import Installation, eventually, free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

STORIES = (
    "/stories/sea-shore/your-first-breath-under-water/",
    "/stories/sea-shore/the-slow-ferry-is-the-holiday/",
)


@dataclass(frozen=True)
class Served:
    installation: Installation
    event_port: int


@pytest.fixture
def served(copy_of_demo: CopyOfDemo) -> Iterator[Served]:
    event_port = free_port()
    with copy_of_demo().serving("--event-port", str(event_port)) as installation:
        yield Served(installation, event_port)


def is_event(answer: Response, kind: str) -> bool:
    return f"/api/10101/{kind}/" in answer.url


def personal(page: Page) -> bool:
    page.goto("/")
    front = page.locator('section[data-scenario="front"]')
    return front.locator(".recommendations__reason, .recommendation__reason").count() > 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_learns_from_the_event_port_whatever_name_the_page_is_open_under(
    host: str, served: Served, browser: Browser
) -> None:
    base = f"http://{host}:{served.installation.port}"
    with browser.new_context(base_url=base) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        called: list[str] = []
        context.on("request", lambda request: called.append(request.url))

        page.goto("/")
        before = page.locator('section[data-scenario="front"] h3').all_inner_texts()
        assert not personal(page)
        for story in STORIES:
            with page.expect_response(lambda answer: is_event(answer, "click")) as stored:
                page.goto(story)
            assert stored.value.status == 204
            assert urlsplit(stored.value.url).netloc == f"{host}:{served.event_port}"
        eventually(lambda: personal(page), seconds=60, what="a personal front page")
        front = page.locator('section[data-scenario="front"]')
        assert front.locator("h3").all_inner_texts() != before
        # The request outlives the page that is left; whether the browser reports its answer is chance.
        with page.expect_request(lambda request: "/api/10101/clickrecommended/" in request.url) as clicked:
            front.locator("h3 a").first.click()
        expect(page.locator("h1")).to_be_visible()

    assert urlsplit(clicked.value.url).netloc == f"{host}:{served.event_port}"
    assert said == []
    hosts = {urlsplit(url).netloc for url in called if url.startswith("http")}
    assert hosts == {f"{host}:{served.installation.port}", f"{host}:{served.event_port}"}


def test_its_command_names_no_address_that_it_does_not_have(copy_of_demo: CopyOfDemo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = copy_of_demo().attempt("manage.py", "collect", "--port", str(port))

    assert done.returncode == 1
    assert done.stdout == ""
    assert f"Cannot listen on 127.0.0.1 port {port}" in done.stderr
