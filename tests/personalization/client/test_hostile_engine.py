"""Pages and notifications with an engine that is away, slow or hostile ...

What the HTTP client makes of such servers is tests/config/test_http_client.py; here it is what a visitor and
an editor see of it (reference `reliability-security-ecosystem.md` A4, R20).
"""

from __future__ import annotations

import gzip
import json
import re
import resource
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.models import Page

from config import site_access
from config.http import breaker
from config.jobs import outbox
from config.jobs.models import Outbox, State
from content.models import ArticlePage, PlacePage
from personalization.client import gateway
from tests.config.raw_server import RawServer, Script, raw_server, response
from tests.content.conftest import Magazine, committed, magazine  # noqa: F401 - a fixture

from .conftest import SITES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_open_breakers")]

OVER = threading.Event()  # ends what a server of a finished test still does


@pytest.fixture
def _no_open_breakers() -> Iterator[None]:
    breaker.reset()
    OVER.clear()
    yield
    OVER.set()
    breaker.reset()


def hang(_head: bytes) -> Iterable[bytes]:
    OVER.wait(60)
    return ()


def drip(_head: bytes) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    while not OVER.wait(0.1):
        yield b" "


def endless(_head: bytes) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while not OVER.is_set():
        yield b" " * 65536


def answer(status: str = "200 OK", *headers: str, body: bytes = b"") -> Script:
    return lambda _head: [response(status, *headers, body=body)]


BOMB = gzip.compress(b" " * 100_000_000)
NO_ANSWER: dict[str, Script] = {
    "hangs before the first byte": hang,
    "drips": drip,
    "never ends": endless,
    "announces 300 MB": lambda _head: [b"HTTP/1.1 200 OK\r\nContent-Length: 314572800\r\n\r\n{"],
    "sends a gzip bomb": answer("200 OK", "Content-Encoding: gzip", body=BOMB),
    "closes in the body": lambda _head: [b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"recommend'],
    "closes at once": lambda _head: [],
}
REFUSALS: dict[str, Script] = {
    "500": answer("500 Oops"),
    "503": answer("503 Busy", "Retry-After: 7"),
    "301": answer("301 Moved", "Location: http://127.0.0.1:1/"),
}
NONSENSE: dict[str, Script] = {
    "no JSON": answer(body=b'{"recommendationItems": ['),
    "JSON of the wrong shape": answer(body=b'{"recommendationItems": {"itemId": []}}'),
    "items of the wrong shape": answer(
        body=json.dumps(
            {
                "recommendationItems": [
                    None,
                    7,
                    {"itemId": 10**18, "itemType": 38, "links": [], "attributes": {"title": "x"}},
                    {"itemId": {}, "itemType": "38"},
                    {"itemId": 1, "itemType": 38, "attributes": [{"key": "title", "values": {"a": 1}}]},
                ]
            }
        ).encode()
    ),
    "HTML": answer(body=b"<html><body>Log in to the network</body></html>"),
    "nothing": answer(),
}
CASES = NO_ANSWER | REFUSALS | NONSENSE


@pytest.fixture
def engine_at(tmp_path: Path, settings: Any) -> Iterator[Callable[[str], None]]:
    """Writes a sites file whose engine is at an address."""
    path = tmp_path / "sites.yaml"
    before = settings.LODESTAR_SITES_FILE

    def write(address: str) -> None:
        path.write_text(SITES.format(engine=address))
        settings.LODESTAR_SITES_FILE = path
        site_access.reload()

    yield write
    settings.LODESTAR_SITES_FILE = before
    site_access.reload()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


# --- The visitor ----------------------------------------------------------------------------------


@pytest.fixture
def place(magazine: Magazine) -> PlacePage:  # noqa: F811
    """A page with a block of recommendations, and articles that can stand in for them."""
    with committed():
        for number in range(4):
            magazine.articles.refresh_from_db()
            magazine.articles.add_child(instance=ArticlePage(title=f"Story {number}"))
        return magazine.place("Kochi")


def blocks(client: Client, page: Page) -> list[str]:
    """Who filled each block of the page."""
    shown = client.get(page.url)
    assert shown.status_code == 200
    return re.findall(r'data-source="(\w+)"', shown.content.decode())


def fallback_until_asked(server: RawServer, client: Client, page: Page) -> int:
    """Shows the page, more than once only where a busy machine spent the budget before it asked.

    Returns how many blocks the last page had; all of them show the fallback.
    """
    for _ in range(4):  # one more and the breaker would open
        shown = blocks(client, page)
        assert set(shown) == {"fallback"}
        if server.heads:
            break
    assert server.heads
    return len(shown)


@pytest.mark.parametrize("how", CASES)
def test_it_shows_the_page_with_the_fallback(
    how: str, place: PlacePage, client: Client, engine_at: Callable[[str], None]
) -> None:
    engine_at(f"http://127.0.0.1:{closed_port()}")
    assert set(blocks(client, place)) == {"fallback"}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with raw_server(CASES[how]) as server:
        engine_at(server.url)
        started = timezone.now()
        fallback_until_asked(server, client, place)
        assert timezone.now() - started < timedelta(seconds=9)  # 0.3 s and what a busy machine adds
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 20_000  # kB


def test_it_asks_an_engine_that_gave_no_answer_once_a_page(
    place: PlacePage,
    magazine: Magazine,  # noqa: F811
    client: Client,
    engine_at: Callable[[str], None],
) -> None:
    with raw_server(hang) as server:
        engine_at(server.url)
        assert fallback_until_asked(server, client, magazine.home) > 1
    assert len(server.heads) == 1


def test_it_follows_no_redirect_with_the_license_key(
    place: PlacePage, client: Client, engine_at: Callable[[str], None]
) -> None:
    with raw_server(answer()) as other:
        moved = answer("307 Temporary", f"Location: {other.url}/")
        with raw_server(moved) as server:
            engine_at(server.url)
            fallback_until_asked(server, client, place)
            with committed():
                place.save_revision().publish()
            outbox.deliver_due()
    assert other.heads == []
    assert any(b"POST" in head for head in server.heads)


def test_it_leaves_the_block_out_without_a_fallback(
    place: PlacePage, client: Client, engine_at: Callable[[str], None], settings: Any
) -> None:
    engine_at(f"http://127.0.0.1:{closed_port()}")
    path = Path(settings.LODESTAR_SITES_FILE)
    path.write_text(path.read_text().replace("random_item_types: [article]", "random_item_types: []"))
    site_access.reload()
    assert blocks(client, place) == []


# --- The editor -----------------------------------------------------------------------------------


@pytest.fixture
def publish(magazine: Magazine) -> Callable[[], Outbox]:  # noqa: F811
    """Publishes a new place and has the worker deliver what waits; returns the newest message."""

    def one() -> Outbox:
        with committed():
            magazine.place(f"Place {Outbox.objects.count()}").save_revision().publish()
        assert Outbox.objects.latest("pk").state == State.QUEUED
        outbox.deliver_due()
        return Outbox.objects.latest("pk")

    return one


WAITS = r"did not answer for customer 501: 127\.0\.0\.1:\d+ .+\."


@pytest.mark.parametrize("how", NO_ANSWER)
def test_it_keeps_a_notification_that_found_no_answer(
    how: str,
    publish: Callable[[], Outbox],
    engine_at: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "NOTIFY_SECONDS", 2.0)
    with raw_server(NO_ANSWER[how]) as server:
        engine_at(server.url)
        before = timezone.now()
        message = publish()
    assert server.heads
    assert message.state == State.QUEUED
    assert message.run_after > before
    assert re.search(WAITS, message.error), message.error


def test_it_keeps_a_notification_while_nothing_listens(
    publish: Callable[[], Outbox], engine_at: Callable[[str], None]
) -> None:
    engine_at(f"http://127.0.0.1:{closed_port()}")
    message = publish()
    assert message.state == State.QUEUED
    assert re.search(WAITS, message.error), message.error


def in_two_minutes() -> str:
    return format_datetime(timezone.now() + timedelta(minutes=2), usegmt=True)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("7", 7), ("99999999", 86_400), ("a date", 120), ("Wed, 21 Oct 2015 07:28:00 GMT", 5), ("soon", 5)],
)
def test_it_waits_as_long_as_the_engine_asks_but_a_day(
    asked: str, seconds: int, publish: Callable[[], Outbox], engine_at: Callable[[str], None]
) -> None:
    header = in_two_minutes() if asked == "a date" else asked
    with raw_server(answer("503 Busy", f"Retry-After: {header}")) as server:
        engine_at(server.url)
        before = timezone.now()
        message = publish()
    assert (message.state, message.response_status) == (State.QUEUED, 503)
    assert "answered 503 for customer 501" in message.error
    waits = (message.run_after - before).total_seconds()
    assert seconds * 0.9 - 1 <= waits <= seconds * 1.1 + 20


def test_it_fails_a_notification_that_is_sent_elsewhere_and_says_why(
    publish: Callable[[], Outbox], engine_at: Callable[[str], None]
) -> None:
    with raw_server(REFUSALS["301"]) as server:
        engine_at(server.url)
        message = publish()
    assert message.state == State.FAILED
    assert "answered 301" in message.error
    assert "Redirects are not followed" in message.error


@pytest.mark.parametrize("how", NONSENSE)
def test_it_takes_any_2xx_for_accepted_whatever_it_says(
    how: str, publish: Callable[[], Outbox], engine_at: Callable[[str], None]
) -> None:
    """Reference `client-protocol.md` 2.9: the body of the answer is not read."""
    with raw_server(NONSENSE[how]) as server:
        engine_at(server.url)
        assert publish().state == State.DONE


def test_it_leaves_an_engine_alone_that_failed_five_times(
    publish: Callable[[], Outbox], engine_at: Callable[[str], None]
) -> None:
    with raw_server(REFUSALS["500"]) as server:
        engine_at(server.url)
        messages = [publish() for _ in range(7)]
    assert len(server.heads) == 5
    assert {message.state for message in messages} == {State.QUEUED}
    assert "failed 5 times in a row and is not called" in messages[-1].error
