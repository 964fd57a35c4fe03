"""A receiver of activations, as a real HTTP server: it keeps what it is told, and fails when asked to."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ERROR = b'{"error": {"code": "made_up", "message": "The group is gone."}}'


@dataclass
class Receiver:
    """``members``: (audience, person). ``faults``: what becomes of the next requests, each one of

    a status (not taken), ``"cut"`` (taken, no answer), ``"dead"`` (not taken, no answer), ``"slow"`` (taken,
    answered after ``delay``) or a function of the request.
    """

    url: str = ""
    port: int = 0
    delay: float = 0.0
    retry_after: str = ""
    faults: deque[Any] = field(default_factory=deque)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    raw: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    members: set[tuple[str, str]] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    adds: Counter[tuple[str, str]] = field(default_factory=Counter)  # once for each request that was taken
    answered: dict[str, str] = field(default_factory=dict)  # request id -> digest of the body
    under_way: int = 0
    most_at_once: int = 0

    def take(self, headers: dict[str, str], body: bytes) -> int:
        document = json.loads(body)
        request = document.get("request_id") or headers["webhook-id"]
        said = document.get("data", document)
        digest = sha256(body).hexdigest()
        if request in self.answered:
            return 200 if self.answered[request] == digest else 409
        self.answered[request] = digest
        self.names |= {one["id"]: one["name"] for one in said["audiences"]}
        for action in said["actions"]:
            pair = action["audience"], action["person"]
            if action["op"] == "add":
                self.adds[pair] += pair not in self.members
                self.members.add(pair)
            else:
                self.members.discard(pair)
        return 200

    def people(self) -> set[str]:
        return {person for _, person in self.members}

    def actions(self) -> list[tuple[str, str]]:
        """Of all requests, op and person."""
        found = (one.get("data", one)["actions"] for one in self.bodies)
        return [(action["op"], action["person"]) for actions in found for action in actions]


def answered(state: Receiver, headers: dict[str, str], body: bytes) -> int | None:
    """The status; None for no answer."""
    state.raw.append((headers, body))
    state.bodies.append(json.loads(body))
    fault = state.faults.popleft() if state.faults else None
    if isinstance(fault, int):
        return fault
    if fault == "dead":
        return None
    if callable(fault):
        fault(state.bodies[-1])
    status = state.take(headers, body)
    if fault == "slow":
        time.sleep(state.delay)
    return None if fault == "cut" else status


def handler_of(state: Receiver) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                state.under_way += 1
                state.most_at_once = max(state.most_at_once, state.under_way)
            try:
                status = answered(state, headers, body)
            finally:
                with lock:
                    state.under_way -= 1
            if status is None:
                self.close_connection = True
                self.connection.close()
                return
            self.answer(status)

        def answer(self, status: int) -> None:
            content = b'{"status": "processed", "skipped": 0}' if status == 200 else ERROR
            self.send_response(status)
            if state.retry_after:
                self.send_header("Retry-After", state.retry_after)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: Any) -> None:
            pass

    return Handler


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_arguments: Any) -> None:
        """A connection that was closed on purpose."""


@contextmanager
def receiver(*, path: str = "/cdp/webhook") -> Iterator[Receiver]:
    state = Receiver()
    with Quiet(("127.0.0.1", 0), handler_of(state)) as server:
        state.port = server.server_port
        state.url = f"http://127.0.0.1:{state.port}{path}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


Hook = Callable[[dict[str, Any]], None]
