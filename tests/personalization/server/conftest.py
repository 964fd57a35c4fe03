"""A customer of the engine, its credentials, and a site that hands out documents over real HTTP."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from config.customers import directory
from config.customers.models import Customer


@dataclass(frozen=True)
class Account:
    customer_id: str
    license_key: str

    @property
    def headers(self) -> dict[str, str]:
        pair = base64.b64encode(f"{self.customer_id}:{self.license_key}".encode()).decode()
        return {"authorization": f"Basic {pair}"}


@pytest.fixture
def account(db: None) -> Iterator[Account]:
    yield new_account("Shop")
    directory.directory._read_at = -directory.CACHE_SECONDS


def new_account(name: str, *, kind: str = "publisher", alphanumeric: bool = False) -> Account:
    row, license_key = directory.create_customer(
        name=name, kind=Customer.Kind(kind), alphanumeric_items=alphanumeric
    )
    return Account(row.customer_id, license_key)


@dataclass
class Site:
    """Documents by path; a number in place of a document is answered as that status."""

    base: str = ""
    documents: dict[str, Any] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    on_request: dict[str, Callable[[], None]] = field(default_factory=dict)


@pytest.fixture
def site(settings: Any) -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.seen.append((self.path, self.headers.get("Authorization", "")))
            state.on_request.get(self.path, lambda: None)()
            document = state.documents.get(self.path, 404)
            status = document if isinstance(document, int) else 200
            body = b"" if isinstance(document, int) else json.dumps(document).encode()
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    state.base = f"http://127.0.0.1:{server.server_port}"
    settings.OUTBOUND_ALLOW = [state.base.removeprefix("http://")]
    yield state
    server.shutdown()
    server.server_close()


def content(content_id: int | str, **fields: Any) -> dict[str, Any]:
    """An item as the connector sends it."""
    return {
        "_media-type": "application/vnd.ibexa.api.Content+json",
        "contentId": content_id,
        "contentTypeId": 38,
        "identifier": "place",
        "language": "eng-GB",
        "publishedDate": "2015-09-17T13:24:25+00:00",
        "author": "Michael Wang",
        "uri": f"/places/{content_id}",
        "categoryPath": ["/1/2/95/"],
        "mainLocation": {"_href": "/x"},
        "locations": {"_href": "/y"},
        "name": f"Place {content_id}",
        "image": f"/media/{content_id}.jpg",
    } | fields


def content_list(*items: Any) -> dict[str, Any]:
    return {
        "contentList": {"_media-type": "application/vnd.ibexa.api.ContentList+json", "content": list(items)}
    }


def full_event(*uris: str, **changes: Any) -> dict[str, Any]:
    return {
        "action": "FULL",
        "format": "EZ",
        "contentTypeId": 38,
        "contentTypeName": "Place",
        "lang": "eng-GB",
        "uri": list(uris),
        "credentials": {"login": "yc", "password": "1f3b03cd5a", "token": "t0ken"},
    } | changes


def update_event(uri: str, **changes: Any) -> dict[str, Any]:
    return {
        "action": "UPDATE",
        "format": "EZ",
        "uri": uri,
        "itemId": 72,
        "contentTypeId": 38,
        "lang": "eng-GB",
        "credentials": {"login": None, "password": None, "token": "t0ken"},
    } | changes
