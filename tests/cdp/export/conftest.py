"""A site with streams, and a receiver that writes down what it gets."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cdp.export import hooks
from config import site_access
from config.http import breaker

USERS, PRODUCTS, CONTENT, OTHER = (f"0000000{n}-0123-4567-89ab-0123456789ab" for n in range(1, 5))
SITES = """
personalization:
  system:
    default:
      cdp:
        account_number: 123456
        stream_endpoint: {base}
        data_export:
          user_data: {{stream_file: {{stream_id: {users}}}}}
          product_data: {{stream_file: {{stream_id: {products}}}}}
          content_data: {{transport: stream_file, stream_file: {{stream_id: {content}}}}}
    {names}
{more}
"""


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    rows: list[dict[str, Any]]
    size: int


@dataclass
class Receiver:
    """``answers``: (status, headers) of the next requests; then 202. Refused rows are not stored."""

    base: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    takes_gzip: bool = False
    stored: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def take(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        self.requests.append(request)
        status, headers = self.answers.pop(0) if self.answers else (202, {})
        if status == 202:
            key = (request.headers["x-run-id"], request.headers["x-run-sequence"])
            self.stored[key] = request.rows
        if self.takes_gzip:
            headers = {**headers, "Accept-Encoding": "gzip"}
        return status, headers, json.dumps({"error": "told_so", "detail": f"because {USERS}"}).encode()

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for rows in self.stored.values() for row in rows]

    @property
    def sequences(self) -> list[str]:
        return [one.headers["x-run-sequence"] for one in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            text = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            status, more, answer = found.take(Request(self.path, headers, json.loads(text), len(body)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.base = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    breaker.reset()
    yield found
    server.shutdown()
    server.server_close()
    breaker.reset()


WriteSites = Callable[..., None]


@pytest.fixture
def sites(receiver: Receiver, tmp_path: Path, settings: Any) -> WriteSites:
    """Writes the sites file: ``names`` are the sites below ``system``, ``more`` other roots."""

    def write(names: str = "site_en: {}", more: str = "", **changes: str) -> None:
        path = tmp_path / "sites.yaml"
        values = {"base": receiver.base, "users": USERS, "products": PRODUCTS, "content": CONTENT}
        path.write_text(SITES.format(names=names, more=more, **(values | changes)))
        settings.LODESTAR_SITES_FILE = path
        site_access.reload()

    write()
    return write


@pytest.fixture
def processors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers goes with it."""
    types = dict(hooks.user_types)
    for registry in (
        hooks.user_processors,
        hooks.user_querysets,
        hooks.field_processors,
        hooks.value_processors,
    ):
        monkeypatch.setattr(registry, "choices", list(registry.choices))
    yield
    hooks.user_types.clear()
    hooks.user_types.update(types)


@dataclass
class Said:
    out: list[str]
    err: str
    code: int


def run(command: str, *options: str) -> Said:
    """Run a command as a terminal would see it."""
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command(command, *options, stdout=out, stderr=err)
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    return Said(out.getvalue().splitlines(), err.getvalue(), code)
