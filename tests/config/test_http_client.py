"""SafeClient against hostile servers and addresses."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from config.http import (
    OutgoingError,
    Refused,
    SafeClient,
    TooLarge,
    TooSlow,
    Unreachable,
    addresses,
    breaker,
    metrics,
)
from tests.config.raw_server import raw_server, response

CLIENT = SafeClient(purpose="tests", budget=5.0, max_bytes=100_000)


@pytest.fixture(autouse=True)
def _no_open_breakers() -> Iterator[None]:
    breaker.reset()
    yield
    breaker.reset()


def test_it_returns_the_whole_answer() -> None:
    with raw_server(lambda _head: [response("201 Created", "X-Mark: yes", body=b"hello")]) as server:
        answer = CLIENT.request(
            "POST", f"{server.url}/a%2Fb?q=1", content=b"{}", basic=("10101", "key"), trusted=True
        )
    assert (answer.status, answer.headers["x-mark"], answer.body) == (201, "yes", b"hello")
    head = server.heads[0].decode()
    assert head.startswith("POST /a%2Fb?q=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in head
    assert "Authorization: Basic MTAxMDE6a2V5\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head


def test_it_ignores_proxies_and_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login spy password spy\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with raw_server(lambda _head: [response()]) as server:
        assert CLIENT.request("GET", server.url, trusted=True).ok
    assert b"Authorization" not in server.heads[0]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_it_follows_no_redirect(status: str) -> None:
    with raw_server(lambda _head: [response(status, "Location: http://127.0.0.1:1/")]) as server:
        assert CLIENT.request("GET", server.url, trusted=True).status == int(status[:3])
    assert len(server.heads) == 1


REFUSED = [
    "https://127.0.0.1/",
    "https://localhost/",
    "https://127.1/",
    "https://0/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://017700000001/",
    "https://10.0.0.1/",
    "https://192.168.1.1:8443/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://8.8.8.8:22/",
    "http://8.8.8.8/",
    "https://user:pass@8.8.8.8/",
    "ftp://8.8.8.8/",
    "file:///etc/passwd",
    "gopher://8.8.8.8/",
    "//8.8.8.8/",
    "https:///path",
    "https://8.8.8.8:99999/",
    "https://8.8.8.8/a b",
    "https://8.8.8.8/\r\nX: y",
    "https://8.8.8.8\\@127.0.0.1/",
    "",
]


@pytest.mark.parametrize("url", REFUSED)
def test_it_refuses_addresses_that_nobody_configured(url: str) -> None:
    with pytest.raises(Refused, match=r"\.$"):
        CLIENT.request("GET", url)


def test_it_allows_a_private_address_that_the_operator_lists(settings: Settings) -> None:
    with raw_server(lambda _head: [response()]) as server:
        with pytest.raises(Refused):
            CLIENT.request("GET", server.url)
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{server.port}"]
        assert CLIENT.request("GET", server.url).ok


def test_it_allows_the_hosts_of_the_sites_file(settings: Settings, tmp_path: Path) -> None:
    with raw_server(lambda _head: [response()]) as server:
        settings.LODESTAR_SITES_FILE = tmp_path / "sites.yaml"
        settings.LODESTAR_SITES_FILE.write_text(
            "personalization: {system: {s: {authentication: {customer_id: 1, license_key: k}, "
            f"host_uri: '{server.url}'}}}}}}"
        )
        assert CLIENT.request("GET", server.url).ok


def test_it_connects_to_the_address_it_checked(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A name that changes its address between check and connection reaches nothing inside."""
    with raw_server(lambda _head: [response()]) as server:
        seen = iter(["127.0.0.1", "127.0.0.2", "127.0.0.2"])
        ordinary = socket.getaddrinfo

        def flipping(host: str, *args: object, **kwargs: object) -> object:
            return ordinary(next(seen) if host == "flip.example" else host, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "getaddrinfo", flipping)
        answer = CLIENT.request("GET", f"http://flip.example:{server.port}/", trusted=True)
    assert answer.ok
    assert f"Host: flip.example:{server.port}".encode() in server.heads[0]
    assert next(seen) == "127.0.0.2"


def drip(_head: bytes) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    for _ in range(100):
        time.sleep(0.1)
        yield b"x"


def drip_head(_head: bytes) -> Iterable[bytes]:
    for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
        time.sleep(0.05)
        yield bytes([letter])


@pytest.mark.parametrize("script", [drip, drip_head])
def test_it_ends_a_dripping_answer_at_its_budget(script: object) -> None:
    client = SafeClient(purpose="tests", budget=0.6)
    started = time.monotonic()
    with raw_server(script) as server, pytest.raises(TooSlow):  # type: ignore[arg-type]
        client.request("GET", server.url, trusted=True)
    assert time.monotonic() - started < 3


def test_it_stops_reading_a_long_answer() -> None:
    script = [response(body=b"x" * 200_000)]
    announced = pytest.raises(TooLarge, match="announces 200000 bytes")
    with raw_server(lambda _head: script) as server, announced:
        CLIENT.request("GET", server.url, trusted=True)


def endless(_head: bytes) -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while True:
        yield b"x" * 65536


def test_it_stops_reading_an_endless_answer() -> None:
    with raw_server(endless) as server, pytest.raises(TooLarge):
        CLIENT.request("GET", server.url, trusted=True)


def test_it_stops_unfolding_a_compressed_bomb() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    script = [response("200 OK", "Content-Encoding: gzip", body=bomb)]
    with raw_server(lambda _head: script) as server, pytest.raises(TooLarge):
        CLIENT.request("GET", server.url, trusted=True)


BROKEN = {
    "closes at once": b"",
    "closes in the head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "closes in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
    "speaks no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "sends endless headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000,
    "sends broken gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "sends broken chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("how", BROKEN)
def test_it_words_a_broken_answer(how: str) -> None:
    worded = pytest.raises(Unreachable, match=r"gave no complete answer.*\.$")
    with raw_server(lambda _head: [BROKEN[how]]) as server, worded:
        CLIENT.request("GET", server.url, trusted=True)


def test_it_words_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match=rf"127\.0\.0\.1:{port} gave no complete answer"):
        CLIENT.request("GET", f"http://127.0.0.1:{port}/", trusted=True)


def test_it_words_a_server_without_tls() -> None:
    with raw_server(lambda _head: [b"plain"]) as server, pytest.raises(Unreachable):
        CLIENT.request("GET", f"https://127.0.0.1:{server.port}/", trusted=True)


def test_it_words_a_name_that_does_not_exist() -> None:
    with pytest.raises(OutgoingError, match="no-such-host.invalid"):
        CLIENT.request("GET", "https://no-such-host.invalid/", trusted=True)


def test_it_refuses_a_header_that_breaks_the_line() -> None:
    with pytest.raises(Refused, match="X-Name"):
        CLIENT.request("GET", "http://127.0.0.1:1/", headers={"X-Name": "a\r\nb"}, trusted=True)


def test_it_leaves_a_failing_host_alone_and_probes_it_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(lambda _head: [response("500 Oops")]) as server:
        for _ in range(5):
            assert CLIENT.request("GET", server.url, trusted=True).status == 500
        with pytest.raises(Unreachable, match="failed 5 times in a row"):
            CLIENT.request("GET", server.url, trusted=True)
        assert len(server.heads) == 5
        monkeypatch.setattr(breaker, "OPEN_SECONDS", 0.0)
        breaker._states[f"127.0.0.1:{server.port}"].open_until = 0.0
        assert CLIENT.request("GET", server.url, trusted=True).status == 500
        assert len(server.heads) == 6


def test_it_downloads_into_a_file_that_appears_whole(tmp_path: Path) -> None:
    body = b"0123456789" * 50_000
    path = tmp_path / "in/part-1.json"
    with raw_server(lambda _head: [response(body=body)]) as server:
        answer = CLIENT.download(server.url, path=path, max_bytes=1_000_000, trusted=True)
    assert path.read_bytes() == body
    assert answer.bytes == 500_000
    assert len(answer.sha256) == 64


@pytest.mark.parametrize("script", [drip, endless, lambda _head: [BROKEN["closes in the body"]]])
def test_it_leaves_no_file_behind_when_a_download_fails(script: object, tmp_path: Path) -> None:
    client = SafeClient(purpose="tests", budget=0.6)
    with raw_server(script) as server, pytest.raises(OutgoingError):  # type: ignore[arg-type]
        client.download(server.url, path=tmp_path / "f", max_bytes=1_000_000, trusted=True)
    assert list(tmp_path.iterdir()) == []


def test_it_writes_no_file_for_an_error_status(tmp_path: Path) -> None:
    with raw_server(lambda _head: [response("401 No", body=b"who?")]) as server:
        answer = CLIENT.download(server.url, path=tmp_path / "f", trusted=True)
    assert (answer.status, answer.body) == (401, b"who?")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("99999999", 86400.0), ("soon", None), ("-5", None), ("", None)]
)
def test_it_reads_retry_after(value: str, seconds: float | None) -> None:
    with raw_server(lambda _head: [response("429 Slow", f"Retry-After: {value}")]) as server:
        assert CLIENT.request("GET", server.url, trusted=True).retry_after() == seconds


def test_it_calls_public_addresses_public() -> None:
    assert addresses.is_public("8.8.8.8")
    assert addresses.is_public("2001:4860:4860::8888")


def test_a_name_that_cannot_be_resolved_counts_as_a_failure() -> None:
    for _ in range(5):
        with pytest.raises(Unreachable, match="cannot be resolved"):
            CLIENT.request("GET", "https://no-such-host.invalid/", trusted=True)
    with pytest.raises(Unreachable, match="failed 5 times in a row"):
        CLIENT.request("GET", "https://no-such-host.invalid/", trusted=True)


def test_a_resolver_that_hangs_keeps_one_thread_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def hang(*_args: object, **_options: object) -> list[object]:
        answered.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    client = SafeClient(purpose="tests", budget=0.05)
    try:
        for _ in range(3):
            with pytest.raises(TooSlow, match="was not resolved"):
                client.request("GET", "https://slow-name.example/", trusted=True)
        assert sum(thread.name == "resolver" for thread in threading.enumerate()) == 1
    finally:
        answered.set()


def test_an_answer_that_we_cut_off_says_nothing_of_the_host() -> None:
    large = response(body=b"x" * 200_000)
    with raw_server(lambda head: [response("500 Oops") if b"/bad" in head else large]) as server:
        for _ in range(4):
            CLIENT.request("GET", f"{server.url}/bad", trusted=True)
        with pytest.raises(TooLarge):
            CLIENT.request("GET", server.url, trusted=True)
        CLIENT.request("GET", f"{server.url}/bad", trusted=True)
        with pytest.raises(Unreachable, match="failed 5 times in a row"):
            CLIENT.request("GET", server.url, trusted=True)


def test_it_counts_calls_by_host(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    client = SafeClient(purpose="counted calls", budget=5.0)
    with raw_server(lambda head: [response("500 Oops" if b"/bad" in head else "200 OK")]) as server:
        for path in ("", "/bad", ""):
            client.request("GET", f"{server.url}{path}", trusted=True)
        place = f"127.0.0.1:{server.port}"
        found = metrics.current()["counted calls", place]
        assert (found.calls, found.failed) == (3, 1)
        monkeypatch.setattr(metrics, "WINDOW_SECONDS", 0.0)
        with caplog.at_level("INFO", logger="personalization"):
            client.request("GET", server.url, trusted=True)
    assert f"counted calls: {place} was called 3 times, 1 failed" in caplog.text
