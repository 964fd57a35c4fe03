"""What the clients of the chaos tests send: drawn from a seed, and different for each event.

An event's key is its event id or, where it has none, its item id. ``Facts`` is what must stand in its row.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tracking.collector import historic

CUSTOMER = "4711"
KEY = "8695-1828-92810-5535-4239"
SITES = f"""
personalization:
  system:
    shop:
      site_name: Shop
      authentication: {{ customer_id: {CUSTOMER}, license_key: {KEY} }}
"""
SHARE_PAST = 0.05  # of single events about an item
MOST_IN_A_BATCH = 40
CLIENT_NUMBERS = 10_000_000  # each client counts in a range of its own


class Facts(NamedTuple):
    """``item`` is "" for a login; ``amount`` is the quantity of a buy, the percentage of a consume."""

    event: str
    item: str
    amount: int


@dataclass(frozen=True)
class Act:
    """One request. ``is_repeatable``: each of its events has an id, so it may be sent again and again."""

    request: bytes
    events: dict[str, Facts]
    is_repeatable: bool


@dataclass(frozen=True)
class Drawn:
    """One event before it is spelled as an address or as a document."""

    key: str
    facts: Facts
    number: int
    has_id: bool

    @property
    def parameters(self) -> dict[str, Any]:
        amount = {"buy": "quantity", "consume": "percentage"}.get(self.facts.event)
        named = {amount: self.facts.amount} if amount else {}
        return named | ({"eventid": self.key} if self.has_id else {})

    def address(self, *, past: bool = False) -> str:
        who = f"device{self.number}/account{self.number % 97}"
        about = who if self.facts.event == "login" else f"user{self.number % 97}/2/{self.facts.item}"
        sent = [(name, str(value)) for name, value in self.parameters.items()]
        query = urlencode(signed(f"2&{self.facts.item}", sent) if past else sent)
        return f"/api/{CUSTOMER}/{self.facts.event}/{about}?{query}"

    def document(self) -> dict[str, Any]:
        if self.facts.event == "login":
            about = {"source": f"device{self.number}", "user": f"account{self.number % 97}"}
        else:
            about = {"user": f"user{self.number % 97}", "itemtype": 2, "item": self.facts.item}
        return {"event": self.facts.event, **about, **self.parameters}


def signed(item: str, parameters: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters of an event of yesterday; ``item``: `<itemtype>&<itemid>`."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    sent = [*parameters, ("overridetimestamp", yesterday)]
    return [*sent, ("signature", historic.signatures(item, KEY, sent)[0])]


def prepare_sites(folder: Path) -> dict[str, str]:
    """A sites file with the key that signs; what the environment needs to know of it."""
    sites = folder / "sites.yaml"
    sites.write_text(SITES)
    return {"LODESTAR_SITES_FILE": str(sites)}


def acts(seed: str, client: int, *, past: bool = False) -> Iterator[Act]:
    """The endless sequence of requests of a client, always equal but for yesterday's date.

    Single events and batches; ``past``: some single events are signed ones of the past.
    """
    chance = random.Random(f"{seed}-traffic-{client}")
    numbers = iter(range(client * CLIENT_NUMBERS + 1, (client + 1) * CLIENT_NUMBERS))
    while True:
        if chance.random() < 0.08:
            size = chance.randint(2, MOST_IN_A_BATCH)
            yield batch([draw(chance, next(numbers), has_id=True) for _ in range(size)])
        else:
            drawn = draw(chance, next(numbers), has_id=chance.random() < 0.7)
            is_past = past and drawn.facts.item and chance.random() < SHARE_PAST
            yield single(drawn, past=bool(is_past))


def draw(chance: random.Random, number: int, *, has_id: bool) -> Drawn:
    event = chance.choices(["click", "buy", "consume", "login"], [5, 3, 2, 1 if has_id else 0])[0]
    amount = {"buy": chance.randint(1, 9), "consume": chance.randint(0, 100)}.get(event, 0)
    facts = Facts(event, "" if event == "login" else str(number), amount)
    return Drawn(f"e{number}" if has_id else facts.item, facts, number, has_id)


def single(drawn: Drawn, *, past: bool = False) -> Act:
    request = f"GET {drawn.address(past=past)} HTTP/1.1\r\nHost: events.test\r\n\r\n".encode()
    return Act(request, {drawn.key: drawn.facts}, drawn.has_id)


def batch(drawn: list[Drawn]) -> Act:
    body = json.dumps([one.document() for one in drawn]).encode()
    head = (
        f"POST /api/{CUSTOMER}/events HTTP/1.1\r\nHost: events.test\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return Act(head.encode() + body, {one.key: one.facts for one in drawn}, is_repeatable=True)
