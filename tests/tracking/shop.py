"""A bare web site with the tracker, and a stand-in for the collector that remembers what it was sent."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TRACKER = Path(__file__).resolve().parent.parent.parent / "static/lodestar/tracker.js"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-1'; connect-src 'self'; img-src 'self'; frame-src 'self';"
    " style-src 'unsafe-inline'"
)
PAGE = """<!doctype html><title>Shop</title><body>
<script nonce="1">var _ycq = _ycq || []; {early}</script>
<script async src="/tracker.js" {attributes}></script>{body}"""
EVENT_ID = re.compile(r"[?&]eventid=[^&]*")
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Shop(ThreadingHTTPServer):
    """Serves one page, the tracker and event addresses; ``refusals`` are the first answers to events."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.page = ""
        self.policy = POLICY
        self.events: list[str] = []
        self.methods: list[str] = []
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def show(self, early: str = "", *, attributes: str = 'data-customer="7"', body: str = "") -> None:
        self.page = PAGE.format(early=early, attributes=attributes, body=body)

    def wait_for(self, count: int) -> list[str]:
        """The events without their ids, once ``count`` have arrived and no more come; each has its own id."""
        events = self.heard(count)
        ids = self.event_ids()
        assert len(set(ids)) == len(ids)
        return events

    def heard(self, count: int) -> list[str]:
        """Like :meth:`wait_for`, where an event may have been repeated."""
        deadline = time.monotonic() + 25
        while len(self.events) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        return [EVENT_ID.sub("", event) for event in self.events]

    def event_ids(self) -> list[str]:
        return [parse_qs(urlsplit(event).query)["eventid"][0] for event in self.events]


class Visit(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        if self.path.startswith("/api/"):
            self.take_event()
        elif self.path == "/tracker.js":
            self.answer(200, "text/javascript", TRACKER.read_bytes())
        elif self.path == "/framed":
            self.answer(200, "text/html", b'<!doctype html><iframe src="/"></iframe>')
        else:
            self.answer(200, "text/html", self.server.page.encode())

    do_POST = do_GET

    def take_event(self) -> None:
        self.server.events.append(self.path)
        self.server.methods.append(self.command)
        status, headers = self.server.refusals.pop(0) if self.server.refusals else (204, {})
        self.answer(status, "", b"", headers)

    def answer(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self.server.policy)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def opened() -> Iterator[Shop]:
    """A shop that is open while the block runs."""
    shop = Shop()
    thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield shop
    finally:
        shop.shutdown()
        thread.join()
        shop.server_close()
