"""A sites file with two customers, items, and an engine that is a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.apps import apps

from config import site_access
from content.items.types import item_types
from content.models import Item


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Engine:
    """An engine double: keeps what it gets and answers what it is told."""

    url: str = ""
    status: int = 202
    body: bytes = b"{}"
    delay: float = 0
    headers: dict[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)


def make_handler(engine: Engine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            engine.received.append(
                Received(self.command, self.path, dict(self.headers), self.rfile.read(length))
            )
            if engine.delay:
                threading.Event().wait(engine.delay)
            try:
                self.send_response(engine.status)
                for name, value in engine.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(engine.body)))
                self.end_headers()
                self.wfile.write(engine.body)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, *_args: Any) -> None:
            """Keep the test output clean."""

    return Handler


@pytest.fixture
def engine() -> Iterator[Engine]:
    double = Engine()
    server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(double))
    server.daemon_threads = True
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield double
    server.shutdown()
    thread.join()
    server.server_close()


SITES = """
personalization:
  system:
    default:
      included_item_types: [place, article]
      random_item_types: [article]
      host_uri: https://site.example
      api:
        admin: {{ endpoint: "{engine}" }}
        notifier: {{ endpoint: "{engine}" }}
        recommendation: {{ endpoint: "{engine}" }}
        event_tracking: {{ endpoint: "{engine}" }}
    site_en:
      site_name: English
      languages: [eng-GB]
      authentication: {{ customer_id: 501, license_key: 1111-aaaa }}
    site_fr:
      site_name: French
      languages: [fre-FR]
      authentication: {{ customer_id: 502, license_key: 2222-bbbb }}
"""


@pytest.fixture
def sites_file(tmp_path: Path, settings: Any, engine: Engine) -> Iterator[Callable[[str], None]]:
    """Writes a sites file; the text may name ``{engine}``."""
    path = tmp_path / "sites.yaml"

    def write(text: str) -> None:
        path.write_text(text.format(engine=engine.url))
        settings.LODESTAR_SITES_FILE = path
        site_access.reload()

    before = settings.LODESTAR_SITES_FILE
    write(SITES)
    yield write
    settings.LODESTAR_SITES_FILE = before
    site_access.reload()


@pytest.fixture
def export_root(tmp_path: Path, settings: Any) -> Path:
    settings.EXPORT_ROOT = tmp_path / "export"
    settings.DISK_FLOOR_BYTES = 0
    return tmp_path / "export"


@pytest.fixture
def site_id(db: None) -> int:
    return int(apps.get_model("wagtailcore", "Site").objects.get(is_default_site=True).pk)


def payload_of(content_id: int, kind: str, language: str, **fields: Any) -> bytes:
    return orjson.dumps(
        {
            "_media-type": "application/vnd.ibexa.api.Content+json",
            "contentId": content_id,
            "contentTypeId": item_types()[kind].id,
            "identifier": kind,
            "language": language,
            "publishedDate": "2026-01-02T03:04:05+00:00",
            "author": "Ana",
            "uri": f"/{kind}/{content_id}/",
            "categoryPath": f"/1/2/{content_id}/",
            "mainLocation": {"_media-type": "x", "_href": f"/1/2/{content_id}/"},
            "locations": {"_media-type": "x", "_href": f"/objects/{content_id}"},
            "name": f"{kind} {content_id} {language}",
            "intro": "<p>Caf&eacute;</p>",
        }
        | fields
    )


@pytest.fixture
def make_items(site_id: int) -> Callable[..., None]:
    def make(
        count: int, *, kind: str = "place", language: str = "eng-GB", start: int = 1, site: int = site_id
    ) -> None:
        Item.objects.bulk_create(
            Item(
                site_id=site,
                item_type=kind,
                item_type_id=item_types()[kind].id,
                content_id=number,
                remote_id=f"remote-{number}",
                language=language,
                uri=f"/{kind}/{number}/",
                category_paths=[f"/1/2/{number}/"],
                published_at=datetime(2026, 1, 2, tzinfo=UTC),
                payload=payload_of(number, kind, language),
            )
            for number in range(start, start + count)
        )

    return make
