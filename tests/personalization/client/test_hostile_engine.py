"""Pages and notifications with an engine that is away, slow or hostile ...

What the HTTP client makes of such servers is in tests/config/test_http_client.py, every behaviour against
every call in test_hostile_table.py; here it is what a visitor and an editor see of some.
"""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterator
from datetime import timedelta
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
from tests.config.raw_server import RawServer, raw_server
from tests.content.conftest import Magazine, committed, magazine  # noqa: F401 - a fixture

from .conftest import SITES
from .hostile import BEHAVIOURS, OVER, answer, closed_port, hang

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_no_open_breakers")]


@pytest.fixture
def _no_open_breakers() -> Iterator[None]:
    breaker.reset()
    OVER.clear()
    yield
    OVER.set()
    breaker.reset()


SEEN = ("hangs before the first byte", "500", "301 to another host", "JSON of the wrong shape", "HTML")


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


@pytest.mark.parametrize("how", SEEN)
def test_it_shows_the_page_with_the_fallback(
    how: str, place: PlacePage, client: Client, engine_at: Callable[[str], None]
) -> None:
    engine_at(f"http://127.0.0.1:{closed_port()}")
    assert set(blocks(client, place)) == {"fallback"}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with raw_server(BEHAVIOURS[how].script) as server:
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


def test_it_keeps_a_notification_while_nothing_listens(
    publish: Callable[[], Outbox], engine_at: Callable[[str], None]
) -> None:
    engine_at(f"http://127.0.0.1:{closed_port()}")
    message = publish()
    assert message.state == State.QUEUED
    assert re.search(WAITS, message.error), message.error


def test_it_leaves_an_engine_alone_that_failed_five_times(
    publish: Callable[[], Outbox], engine_at: Callable[[str], None]
) -> None:
    with raw_server(BEHAVIOURS["500"].script) as server:
        engine_at(server.url)
        messages = [publish() for _ in range(7)]
    assert len(server.heads) == 5
    assert {message.state for message in messages} == {State.QUEUED}
    assert "failed 5 times in a row and is not called" in messages[-1].error
