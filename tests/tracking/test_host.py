"""What the Host header may say to an event: the web port and the event port answer the same."""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.test import Client

from config.customers.directory import create_customer
from config.management.commands.serve import gunicorn
from tests.ports import free_port
from tests.tracking.collector_process import ROOT, CollectorProcess, environment, prepare
from tracking.models import Event

TARGET = "/api/4711/click/u/1/2"
MISSING = b"the request must have exactly one Host header\n"


class Ports(NamedTuple):
    """Where one installation takes events, and its events file."""

    collector: int
    web: int
    events: Path


class Got(NamedTuple):
    status: int
    headers: frozenset[str]
    body: bytes


def talk(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def parsed(answer: bytes) -> Got:
    """The answer without what differs by nature: server, date and the version of HTTP."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    own = frozenset(line for line in lines if not re.match("(?i)server:|date:", line))
    return Got(int(first.split()[1]), own, body)


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """An installation whose ALLOWED_HOSTS name only this machine."""
    folder = tmp_path_factory.mktemp("hosts")
    env = environment(folder, ALLOWED_HOSTS="localhost", LODESTAR_DEBUG="1")
    prepare(env)
    collector = CollectorProcess(env)
    collector.start()
    port = free_port()
    command = gunicorn(
        port=port, options={"host": "127.0.0.1", "workers": 1, "threads": 4, "access_log": False}
    )
    web = subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_for(port, web)
        yield Ports(collector.port, port, folder / "events.sqlite3")
    finally:
        web.terminate()
        web.wait(30)
        assert collector.stop() == 0


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the web server ended by itself"
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise AssertionError("the web server did not start")


def request(*headers: str, target: str = TARGET, method: str = "GET", version: str = "1.1") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


CASES = {
    "any name": (request("Host: events.test"), 204),
    "a name and a port": (request("Host: events.test:8443"), 204),
    "an address": (request("Host: [::1]:8000"), 204),
    "markup": (request("Host: <script>evil.test</script>"), 204),
    "letters of no alphabet": (request("Host: evil.test\xff"), 204),
    "empty": (request("Host:"), 204),
    "a proxy's": (request("Host: a", "X-Forwarded-Host: evil.test"), 204),
    "another in the target": (request("Host: a", target=f"http://evil.test{TARGET}"), 204),
    "none in HTTP/1.0": (request(version="1.0"), 204),
    "none in HTTP/1.1": (request(), 400),
    "preflight": (request("Host: evil.test", method="OPTIONS"), 204),
    "old solution id": (request("Host: evil.test", target="/ebl/4711/click/u/1/2"), 204),
    "unknown customer": (request("Host: evil.test", target="/api/99/click/u/1/2"), 404),
    "wrong event": (request("Host: evil.test", target="/api/4711/clik/u/1/2"), 404),
    "wrong number": (request("Host: evil.test", target="/api/4711/click/u/x/2"), 400),
}


@pytest.mark.parametrize(("data", "status"), CASES.values(), ids=CASES.keys())
def test_answers_alike_on_both_ports(ports: Ports, data: bytes, status: int) -> None:
    on_event_port, on_web_port = (parsed(talk(port, data)) for port in ports[:2])
    assert on_event_port.status == status
    assert on_web_port == on_event_port
    assert (MISSING in on_web_port.body) == (b"\r\nHost" not in data and status == 400)
    assert "evil" not in repr(on_web_port)


def test_refuses_two_hosts_on_both_ports(ports: Ports) -> None:
    data = request("Host: evil.test", "Host: localhost")
    answers = [parsed(talk(port, data)) for port in ports[:2]]
    assert [answer.status for answer in answers] == [400, 400]
    assert "evil" not in repr(answers)


def test_leaves_every_other_address_to_the_allowed_hosts(ports: Ports) -> None:
    for target in ("/", "/api/v2/4711/u/popular.json", "/news/2026/summer/u/1/2", "/admin/"):
        assert parsed(talk(ports.web, request("Host: evil.test", target=target))).status == 400


@pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
@pytest.mark.parametrize("path", ["/api/{}/click/u/1/2", "/news/{}/click/u/1/2"])
def test_redirects_no_event_to_https(client: Client, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    row, _key = create_customer(name="Shop", kind="commerce")

    answer = client.get(path.format(row.customer_id), headers={"host": "evil.test"})

    assert answer.status_code == 204
    assert "Location" not in answer
    assert Event.objects.filter(customer_id=row.customer_id).count() == 1


def test_stores_what_came_under_a_foreign_name(ports: Ports) -> None:
    for number, port in enumerate(ports[:2]):
        target = f"/api/4711/buy/u/1/70{number}"
        assert parsed(talk(port, request("Host: evil.test", target=target))).status == 204
    with contextlib.closing(sqlite3.connect(ports.events)) as connection:
        rows = connection.execute("SELECT item_id FROM tracking_event WHERE event = 'buy'").fetchall()
    assert sorted(rows) == [("700",), ("701",)]
