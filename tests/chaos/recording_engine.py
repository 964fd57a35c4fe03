"""An engine that keeps the credentials it is told and answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class RecordingEngine:
    status: int = 202
    url: str = ""
    notifications: list[dict[str, Any]] = field(default_factory=list)

    def credentials(self) -> list[dict[str, str]]:
        """Login, password and token of every event it heard of."""
        return [event["credentials"] for one in self.notifications for event in one["events"]]

    def files(self) -> list[tuple[str, dict[str, str]]]:
        """Addresses of export files with what opens them."""
        events = [event for one in self.notifications for event in one["events"]]
        return [(uri, event["credentials"]) for event in events for uri in event["uri"]]


@contextmanager
def recording_engine() -> Iterator[RecordingEngine]:
    engine = RecordingEngine()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            engine.notifications.append(json.loads(body))
            self.send_response(engine.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Keep the test output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    engine.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield engine
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
