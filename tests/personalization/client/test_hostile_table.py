"""Every hostile behaviour of R20 against a notification and a question for recommendations.

Each ends within its time and memory in a state that a person understands. What a visitor and an editor see
of it is in test_hostile_engine.py.
"""

from __future__ import annotations

import re
import resource
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from config import site_access
from config.http import breaker
from config.jobs import outbox
from config.jobs.models import Outbox
from content.signals import ItemRef, item_changed
from personalization.client import gateway, recommend
from tests.config.raw_server import RawServer, raw_server

from .conftest import SITES
from .hostile import BEHAVIOURS, DONE, OVER, QUEUED, Authority, answer, closed_port, deaf_port, tls_server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_time")]
EngineAt = Callable[[str], None]
# What only who wrote the program understands.
CODE = re.compile(r"Traceback|Exception|Error\b|<class|Pool\(|Max retries|0x[0-9a-f]{6}|\bNone\b")
SECONDS = 8  # 0.3 or 1.5 s, and what a busy machine adds
MEMORY = 20_000  # kB


@pytest.fixture
def _own_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short budgets, and no breaker of another test."""
    monkeypatch.setattr(gateway, "NOTIFY_SECONDS", 1.5)
    breaker.reset()
    OVER.clear()
    yield
    OVER.set()
    breaker.reset()


@pytest.fixture
def engine_at(tmp_path: Path, settings: Any) -> Iterator[EngineAt]:
    path, before = tmp_path / "sites.yaml", settings.LODESTAR_SITES_FILE

    def write(address: str) -> None:
        path.write_text(SITES.format(engine=address))
        settings.LODESTAR_SITES_FILE = path
        site_access.reload()

    yield write
    settings.LODESTAR_SITES_FILE = before
    site_access.reload()


@pytest.fixture
def page(db: None, rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.user, request.LANGUAGE_CODE = AnonymousUser(), "en"
    return request


@pytest.fixture
def notify(site_id: int) -> Callable[[], Outbox]:
    """Has the worker announce a changed item; returns its message, within time and memory."""

    def one() -> Outbox:
        ref = ItemRef(
            site_id=site_id,
            item_type="place",
            item_type_id=38,
            content_id=72,
            remote_id="r",
            language="eng-GB",
        )
        item_changed.send(sender=None, refs=[ref])
        bounded(outbox.deliver_due)
        return Outbox.objects.latest("pk")

    return one


def bounded(call: Callable[[], Any]) -> Any:
    started = time.monotonic()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = call()
    assert time.monotonic() - started < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEMORY
    return result


def is_worded(message: Outbox, pattern: str) -> None:
    """The reason is a sentence for a person, without the key."""
    assert re.search(pattern, message.error), message.error
    assert not CODE.search(message.error), message.error
    assert "1111-aaaa" not in message.error
    assert message.state == DONE or message.error.rstrip().endswith(".")


@pytest.mark.parametrize("how", BEHAVIOURS)
def test_a_notification_ends_in_a_state_that_says_what_is(
    how: str, notify: Callable[[], Outbox], engine_at: EngineAt
) -> None:
    behaviour = BEHAVIOURS[how]
    with raw_server(behaviour.script) as server:
        engine_at(server.url)
        before = timezone.now()
        message = notify()
    assert message.state == behaviour.state
    is_worded(message, behaviour.says)
    if behaviour.waits is not None:
        waits = (message.run_after - before).total_seconds()
        assert behaviour.waits * 0.9 - 1 <= waits <= behaviour.waits * 1.1 + SECONDS
    if message.state == QUEUED:
        assert message.run_after > before
        assert message.run_after <= before + timedelta(days=1, seconds=SECONDS)
    assert len(server.heads) == 1, "asked once, and no redirect was followed"


@pytest.mark.parametrize("how", BEHAVIOURS)
def test_a_page_gets_nothing_from_it_and_does_not_wait(
    how: str, page: HttpRequest, engine_at: EngineAt, make_items: Callable[..., None]
) -> None:
    make_items(4, kind="article")
    with raw_server(BEHAVIOURS[how].script) as server:
        engine_at(server.url)
        found = bounded(lambda: recommend.recommendations(page, "front", limit=3))
    assert [one.is_fallback for one in found] == [True, True, True]
    assert len(server.heads) <= 1


CERTIFICATES = {
    "certificate has expired": lambda authority: authority.context(days=-1),
    "certificate is signed by nobody that is trusted": lambda authority: authority.context(signed=False),
    "certificate is for another name": lambda authority: authority.context(host="engine.example"),
    "it speaks TLS 1.1 or older only": lambda authority: authority.of_1999(),
}


@pytest.mark.parametrize("how", CERTIFICATES)
def test_it_trusts_no_other_certificate(
    how: str,
    notify: Callable[[], Outbox],
    page: HttpRequest,
    engine_at: EngineAt,
    tmp_path: Path,
    settings: Any,
) -> None:
    authority = Authority(tmp_path)
    settings.OUTBOUND_CA_BUNDLE = str(authority.bundle)
    with tls_server(answer(), CERTIFICATES[how](authority)) as server:
        engine_at(server.url)
        message = notify()
        assert bounded(lambda: recommend.recommendations(page, "front")) == []
    assert server.heads == [], "no byte of a request was sent"
    assert message.state == QUEUED
    is_worded(message, how)


def test_it_trusts_the_operators_own_authority(
    notify: Callable[[], Outbox], engine_at: EngineAt, tmp_path: Path, settings: Any
) -> None:
    authority = Authority(tmp_path)
    settings.OUTBOUND_CA_BUNDLE = str(authority.bundle)
    with tls_server(answer(), authority.context()) as server:
        engine_at(server.url)
        assert notify().state == DONE
    assert len(server.heads) == 1


def test_it_waits_for_no_connection_that_is_not_made(
    notify: Callable[[], Outbox], page: HttpRequest, engine_at: EngineAt
) -> None:
    with deaf_port() as port:
        engine_at(f"http://127.0.0.1:{port}")
        message = notify()
        assert bounded(lambda: recommend.recommendations(page, "front")) == []
    assert message.state == QUEUED
    is_worded(message, rf"did not answer for customer 501: 127\.0\.0\.1:{port} .+")


@pytest.mark.parametrize("address", ["http://127.0.0.1:{closed}", "https://no-such-host.invalid"])
def test_it_keeps_what_reaches_nobody(
    address: str, notify: Callable[[], Outbox], page: HttpRequest, engine_at: EngineAt
) -> None:
    engine_at(address.format(closed=closed_port()))
    message = notify()
    assert bounded(lambda: recommend.recommendations(page, "front")) == []
    assert message.state == QUEUED
    is_worded(message, "did not answer for customer 501: .+")


def test_it_calls_the_address_that_it_looked_up(
    notify: Callable[[], Outbox], engine_at: EngineAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changes its address between two looks is looked up once."""
    ordinary, asked = socket.getaddrinfo, []

    def flipping(host: str, *args: Any, **options: Any) -> Any:
        if host != "flip.example":
            return ordinary(host, *args, **options)
        asked.append(host)
        return ordinary("127.0.0.1" if len(asked) == 1 else "127.0.0.9", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", flipping)
    with raw_server(answer()) as server:
        engine_at(f"http://flip.example:{server.port}")
        assert notify().state == DONE
    assert len(server.heads) == 1
    assert b"Host: flip.example" in server.heads[0]


def test_an_engine_that_fails_twenty_times_is_left_alone_after_five(
    notify: Callable[[], Outbox], engine_at: EngineAt
) -> None:
    with raw_server(BEHAVIOURS["500"].script) as server:
        engine_at(server.url)
        for _ in range(20):
            message = notify()
            Outbox.objects.update(run_after=timezone.now())
    assert len(calls(server)) == 5
    is_worded(message, "failed 5 times in a row and is not called")


def calls(server: RawServer) -> list[bytes]:
    return [head for head in server.heads if head.startswith(b"POST")]
