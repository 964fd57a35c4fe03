"""The double's state and its HTTP server."""

from __future__ import annotations

import base64
import json
import queue
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests

from tests.engine_double.rules import fault_of

EVENTS = {"click", "consume", "buy", "basket", "rate", "rendered", "clickrecommended", "login", "blacklist"}
Key = tuple[str, int, str]  # customer, item type, item id


@dataclass
class Double:
    """Customers with their keys, the items that they handed over, and the file everything is written to."""

    keys: dict[str, str]
    record: Path
    items: dict[Key, dict[str, dict[str, Any]]] = field(default_factory=dict)  # -> language -> item
    lock: threading.Lock = field(default_factory=threading.Lock)
    work: queue.Queue[tuple[str, dict[str, Any]]] = field(default_factory=queue.Queue)

    def write(self, **facts: Any) -> None:
        with self.lock, self.record.open("a") as out:
            out.write(json.dumps({"at": time.time(), **facts}) + "\n")

    def accepts(self, customer: str, header: str) -> bool:
        expected = base64.b64encode(f"{customer}:{self.keys.get(customer, '')}".encode()).decode()
        return customer in self.keys and header == f"Basic {expected}"

    def follow(self) -> None:
        """Fetch what notifications name, one event after the other, for ever."""
        while True:
            customer, event = self.work.get()
            try:
                self.carry_out(customer, event)
            except Exception as error:  # noqa: BLE001 - whatever it is, a test must be able to read it
                self.write(what="fault", customer=customer, error=repr(error), event=event)

    def carry_out(self, customer: str, event: dict[str, Any]) -> None:
        kind, language = event["contentTypeId"], event["lang"]
        if event["action"] == "DELETE":
            self.forget(customer, kind, str(event["itemId"]), language)
            return
        uris = event["uri"] if event["action"] == "FULL" else [event["uri"]]
        found = [item for uri in uris for item in self.fetched(customer, uri, event)]
        if event["action"] == "FULL":
            for owner, own_kind, number in list(self.items):
                if (owner, own_kind) == (customer, kind):
                    self.forget(customer, kind, number, language)
        if not found:
            self.forget(customer, kind, str(event.get("itemId")), language)
        for item in found:
            self.items.setdefault((customer, kind, str(item["contentId"])), {})[language] = item

    def forget(self, customer: str, kind: int, number: str, language: str) -> None:
        known = self.items.get((customer, kind, number), {})
        known.pop(language, None)
        if not known:
            self.items.pop((customer, kind, number), None)

    def fetched(self, customer: str, uri: str, event: dict[str, Any]) -> list[dict[str, Any]]:
        """The items at an address, asked for in both ways that the credentials allow."""
        given = event["credentials"]
        ways: dict[str, dict[str, Any]] = {
            "token": {"headers": {"Authorization": f"Bearer {given['token']}"}}
        }
        if given.get("login"):
            ways["login"] = {"auth": (given["login"], given["password"])}
        answers = {name: requests.get(uri, timeout=30, **way) for name, way in ways.items()}
        statuses = {name: one.status_code for name, one in answers.items()}
        bodies = {one.content for one in answers.values()}
        self.write(what="fetch", customer=customer, uri=uri, statuses=statuses, alike=len(bodies) == 1)
        answer = answers["token"]
        if answer.status_code != 200:
            return []
        items: list[dict[str, Any]] = answer.json()["contentList"]["content"]
        return items

    def recommended(self, customer: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """The newest items of the asked type in the asked language."""
        [language] = query.get("lang", ["eng-GB"])
        wanted = query.get("outputtypeid", [""])[0]
        found = [
            (kind, item)
            for (owner, kind, _id), languages in list(self.items.items())
            if owner == customer and wanted in ("", str(kind))
            for spoken, item in languages.items()
            if spoken == language
        ]
        count = int(query.get("numrecs", ["10"])[0])
        newest = sorted(found, key=lambda pair: str(pair[1].get("publishedDate")), reverse=True)
        return [self.answer_of(customer, kind, item, query) for kind, item in newest[:count]]

    def answer_of(
        self, customer: str, kind: int, item: dict[str, Any], query: dict[str, list[str]]
    ) -> dict[str, Any]:
        asked = [name for names in query.get("attribute", []) for name in names.split(",")]
        number = item["contentId"]
        link = f"/api/{customer}/{{0}}/nobody/{kind}/{number}?scenario=double"
        return {
            "itemId": number,
            "itemType": kind,
            "relevance": 1,
            "links": {name: link.format(name.lower()) for name in ("clickRecommended", "rendered")},
            "attributes": [{"key": name, "values": [item[name]]} for name in asked if item.get(name)],
        }


def handler_of(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = [unquote(part) for part in urlsplit(self.path).path.split("/")[2:]]
            if len(parts) == 2 and parts[1] == "items":
                self.notified(parts[0], body)
            elif len(parts) == 3 and parts[2] == "user":
                self.authorized(parts[0]) and self.kept(parts[0], body, status=200)
            else:
                self.say(404)

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            parts = [unquote(part) for part in address.path.split("/")[2:]]
            query = parse_qs(address.query)
            if parts[0] == "v2" and len(parts) == 4 and re.fullmatch(r"[\w-]+\.json", parts[3]):
                if self.authorized(parts[1]):
                    double.write(what="asked", customer=parts[1], path=self.path)
                    found = double.recommended(parts[1], query)
                    self.say(200, {"contextItems": [], "recommendationItems": found})
            elif len(parts) == 4 and parts[1] == "item":
                self.authorized(parts[0]) and self.shown(parts[0], int(parts[2]), parts[3])
            elif len(parts) > 2 and parts[1] in EVENTS:
                double.write(what="event", customer=parts[0], path=self.path)
                self.say(204)
            else:
                self.say(404)

        def authorized(self, customer: str) -> bool:
            good = double.accepts(customer, self.headers.get("Authorization", ""))
            if not good:
                double.write(what="refused", customer=customer, path=self.path)
                self.say(401)
            return good

        def notified(self, customer: str, body: bytes) -> None:
            if not self.authorized(customer):
                return
            document = json.loads(body)
            fault = fault_of(document)
            double.write(what="notification", customer=customer, body=document, fault=fault)
            if fault:
                self.say(400, {"fault": fault})
                return
            self.say(202)
            for event in document["events"]:
                double.work.put((customer, event))

        def kept(self, customer: str, body: bytes, *, status: int) -> None:
            double.write(what="users", customer=customer, path=self.path, body=body.decode())
            self.say(status)

        def shown(self, customer: str, kind: int, number: str) -> None:
            known = double.items.get((customer, kind, number))
            self.say(200 if known else 404, known)

        def say(self, status: int, document: Any = None) -> None:
            body = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """What happens is in the record."""

    return Handler


def serve(double: Double, port: int) -> ThreadingHTTPServer:
    threading.Thread(target=double.follow, daemon=True).start()
    return ThreadingHTTPServer(("127.0.0.1", port), handler_of(double))
