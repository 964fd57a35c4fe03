"""The collector process ..."""

from __future__ import annotations

import re
import socket
import sqlite3
import subprocess
import sys
import time

import pytest

from tests.environ import of_its_own
from tests.tracking.collector_process import ROOT, CollectorProcess, environment, prepare, python


@pytest.fixture(scope="module")
def collector(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collector")
    env = environment(folder)
    prepare(env)
    process = CollectorProcess(env)
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def stored(collector):
    """Run a query on the events file."""

    def query(sql: str, *values: object) -> list[tuple]:
        with sqlite3.connect(f"{collector.env['LODESTAR_VAR_DIR']}/events.sqlite3") as connection:
            return connection.execute(sql, values).fetchall()

    return query


@pytest.fixture
def talk(collector):
    """Send bytes, return everything that comes back until the server closes or falls silent."""

    def send(data: bytes, *, silence: float = 0.15) -> bytes:
        with socket.create_connection(("127.0.0.1", collector.port)) as connection:
            connection.sendall(data)
            connection.settimeout(30)  # the machine may be busy with something else
            answer = b""
            try:
                while piece := connection.recv(65536):
                    answer += piece
                    connection.settimeout(silence)
            except TimeoutError:
                pass
            return answer

    return send


def request(target: str, *headers: str, method: str = "GET", body: str = "") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: events.test", *headers, "", body]
    return "\r\n".join(lines).encode()


def test_answers_after_the_event_is_stored(talk, stored):
    answer = talk(request("/api/4711/buy/a%2Fb/1/129?quantity=2&fullprice=4.44EUR&eventid=first"))
    assert answer.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"Access-Control-Allow-Origin: *" in answer
    assert stored("SELECT event, quantity, price, currency FROM tracking_event WHERE event_id='first'") == [
        ("buy", 2, 4.44, "EUR")
    ]


def test_answers_pipelined_requests_in_their_order(talk):
    answer = talk(
        request("/api/4711/click/u/1/2")
        + request("/api/4711/clik/u/1/2")
        + request("/api/4711/click/u/1/3", "Accept: image/webp,*/*")
        + request("/healthz", "Connection: close")
    )
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"204", b"404", b"200", b"200"]
    assert answer.endswith(b"ok\n")


def test_reads_a_posted_form(talk, stored):
    form = "fullprice=2.50EUR&eventid=form"
    kind = "Content-Type: application/x-www-form-urlencoded"
    answer = talk(
        request("/api/4711/buy/u/1/2", kind, f"Content-Length: {len(form)}", method="POST", body=form)
    )
    assert b" 204 " in answer
    assert stored("SELECT price FROM tracking_event WHERE event_id='form'") == [(2.5,)]


def test_follows_nobody_who_asks_not_to_be_followed(talk, stored):
    assert b" 204 " in talk(request("/api/4711/click/u/1/2?eventid=gpc", "Sec-GPC: 1"))
    assert stored("SELECT \"user\" FROM tracking_event WHERE event_id = 'gpc'") == [("",)]


def test_takes_a_batch(talk, stored):
    events = "\n".join(
        f'{{"event": "click", "user": "u", "itemtype": 1, "item": {n}, "eventid": "batch-{n}"}}'
        for n in range(3)
    )
    kind = "Content-Type: application/x-ndjson"
    answer = talk(
        request("/api/4711/events", kind, f"Content-Length: {len(events)}", method="POST", body=events)
    )
    assert b" 200 " in answer.splitlines()[0]
    assert b'"accepted":2,"rejected":1' in answer
    assert len(stored("SELECT 1 FROM tracking_event WHERE event_id LIKE 'batch-%'")) == 2


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (request("/api/99999/click/u/1/2"), 404, b"customer 99999 not found"),
        (request("/" + "x" * 8001), 414, b"8000"),
        (request("/" + "x" * 70_000), 414, b"8000"),
        (b"GET /api/4711/click/u/1/2 HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000, 431, b"headers"),
        (request("/api/4711/click/u/1/2", "Content-Length: 32769", method="POST"), 413, b"32768"),
        (request("/api/4711/events", "Content-Length: 1048577", method="POST"), 413, b"1048576"),
        (request("/api/4711/click/u/1/2", *[f"X: {'y' * 1000}"] * 40), 431, b"headers"),
        (
            request("/api/4711/click/u/1/2", "Transfer-Encoding: chunked", method="POST", body="0\r\n\r\n"),
            411,
            b"Content-Length",
        ),
        (
            request(
                "/api/4711/click/u/1/2", "Content-Length: 4", "Transfer-Encoding: chunked", method="POST"
            ),
            400,
            b"",
        ),
        (request("/api/4711/click/u/1/2", "Content-Length: 1", "Content-Length: 2", method="POST"), 400, b""),
        (request("/api/4711/click/u/1/2", "Host: other"), 400, b"Host"),
        (b"GET /api/4711/click/u/1/2 HTTP/1.1\r\n\r\n", 400, b"Host"),
        (b"GET /api/4711/click/u/1/2\r\n\r\n", 400, b""),
        (b"GET /api/4711/click/u/1/2 HTTP/3.7\r\nHost: a\r\n\r\n", 400, b""),
        (request("/api/4711/click/u/1/2", method="TRACE"), 405, b"Allow: GET, HEAD, POST, OPTIONS"),
        (request("/api/4711/click/u/1/2", method="JUNK"), 405, b"Allow: GET, HEAD, POST, OPTIONS"),
        (b"\x16\x03\x01\x02\x00", 400, b""),
        (request("/api/4711/click/\xff/1/2").replace(b"\xc3\xbf", b"\xff"), 400, b""),
    ],
)
def test_refuses_readably(talk, data, status, sentence):
    answer = talk(data)
    assert answer.split()[1] == str(status).encode()
    assert sentence in answer


def test_serves_others_while_one_is_slow(collector, talk):
    slow = socket.create_connection(("127.0.0.1", collector.port))
    slow.sendall(b"GET /api/47")
    assert b" 204 " in talk(request("/api/4711/click/u/1/2"))
    slow.sendall(b"11/click/u/1/2 HTTP/1.1\r\nHost: a\r\n\r\n")
    slow.settimeout(30)
    assert b" 204 " in slow.recv(1000)
    slow.close()


def test_stores_what_a_client_sent_before_it_went_away(collector, stored):
    with socket.create_connection(("127.0.0.1", collector.port)) as connection:
        connection.sendall(request("/api/4711/click/u/1/2?eventid=gone"))
    deadline = time.monotonic() + 5
    while not stored("SELECT 1 FROM tracking_event WHERE event_id='gone'"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_knows_a_new_customer_within_seconds(collector, talk):
    python(
        collector.env,
        "-c",
        "import django; django.setup();"
        "from config.customers.models import Customer as c;"
        "c.objects.create(name='New', kind='publisher', customer_id='777')",
    )
    deadline = time.monotonic() + 10
    while b" 204 " not in talk(request("/api/777/click/u/1/2"), silence=0.1):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_follows_changed_rules_within_seconds(collector, talk):
    row = "c.objects.create(name='Gated', kind='publisher', customer_id='778')"
    change(collector, f"change_gate({row}, GateRules())")
    page = request("/api/778/click/u/1/2", "Origin: https://a.example")
    wait_for(b" 204 ", talk, page)
    rules = "GateRules(origins=('https://b.example',))"
    change(collector, f"change_gate(c.objects.get(customer_id='778'), {rules})")
    wait_for(b" 403 ", talk, page)
    assert b" 204 " in talk(request("/api/778/click/u/1/2", "Origin: https://b.example"))
    assert b" 204 " in talk(request("/api/778/click/u/1/2"))
    assert b" 204 " in talk(request("/api/778/click/u/1/2", "Referer: https://b.example/x"))
    for header in ("Referer: https://a.example/x", "Sec-Fetch-Site: cross-site"):
        assert b" 403 " in talk(request("/api/778/click/u/1/2", header))
    change(collector, "change_gate(c.objects.get(customer_id='778'), GateRules(needs_license_key=True))")
    wait_for(b" 401 ", talk, page)


def change(collector, code: str) -> None:
    imports = (
        "import django; django.setup();"
        "from config.customers.models import Customer as c;"
        "from config.customers.directory import change_gate;"
        "from config.customers.gates import GateRules;"
    )
    python(collector.env, "-c", imports + code)


def wait_for(status: bytes, talk, page: bytes) -> None:
    deadline = time.monotonic() + 30
    while status not in talk(page, silence=0.1):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_names_a_taken_port(collector):
    import subprocess
    import sys

    second = subprocess.run(
        [sys.executable, "-m", "tracking.collector", "--port", str(collector.port)],
        env=collector.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {collector.port}" in second.stderr


def test_it_notes_what_it_refused(collector, stored):
    collector_get(collector, "/api/4711/clik/mabel/38/12")
    deadline = time.monotonic() + 30
    sql = "SELECT status, target, message FROM tracking_refusedrequest WHERE message LIKE '%did you mean%'"
    while not (rows := stored(sql)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert rows[0][:2] == (404, "/api/4711/[text]/[text]/[number]/[number]")
    assert "did you mean click?" in rows[0][2]


def collector_get(collector, path: str) -> None:
    with socket.create_connection(("127.0.0.1", collector.port), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: events.test\r\nConnection: close\r\n\r\n".encode())
        connection.recv(4096)


def test_it_does_not_carry_the_learners_libraries() -> None:
    """DuckDB takes 50 MB and says goodbye with a page of complaints."""
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup();"
        "import tracking.collector.server; print(sorted({'duckdb', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=of_its_own(), capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
