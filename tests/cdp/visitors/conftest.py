"""A site whose visitors a platform knows, and the platform: a real HTTP server."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from django.core.cache import caches
from django.http import HttpRequest
from django.test import Client, RequestFactory

from config import site_access
from config.http import breaker
from personalization.segments import changes
from personalization.segments.models import Segment
from tests.cdp.conftest import SECRET
from tests.config.raw_server import RawServer, raw_server, response

VISITOR = "0b8f6f0e-aaaa-bbbb-cccc-0123456789ab"
SITES = f"""
personalization:
  system:
    site_en:
      authentication: {{customer_id: 501, license_key: 1-2-3-4-5}}
      cdp:
        account_number: 123456
        activations:
          - {{client_id: mine, client_secret: {SECRET}, segment_group_identifier: audiences}}
        membership: {{endpoint: "<url>", activation_id: act_7, api_key: the-key}}
"""


@dataclass
class MembershipApi:
    """``members``: visitor -> ids of audiences; ``fault``: what it does instead of answering."""

    members: dict[str, list[str]] = field(default_factory=dict)
    fault: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __call__(self, head: bytes) -> Iterable[bytes]:
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        path = first.split()[1]
        self.asked.append((path, headers))
        who = parse_qs(urlsplit(path).query)["identifierValue"][0]
        found = [{"id": one, "name": one.title()} for one in self.members.get(who, [])]
        answer = response(
            "200 OK", "Content-Type: application/json", body=orjson.dumps({"memberships": found})
        )
        if self.fault == "slow":
            time.sleep(2)
        elif self.fault == "drips":
            for byte in answer:
                time.sleep(0.05)
                yield bytes([byte])
            return
        elif self.fault == "cut":
            yield answer[:-5]
            return
        elif self.fault:
            status, _, body = self.fault.partition(" | ")
            answer = response(status, body=body.encode())
        yield answer


@pytest.fixture
def api() -> MembershipApi:
    return MembershipApi(members={VISITOR: ["aud_1", "aud_9"]})


@pytest.fixture
def server(api: MembershipApi) -> Iterator[RawServer]:
    breaker.reset()
    with raw_server(api) as found:
        yield found
    breaker.reset()


@pytest.fixture
def sites(server: RawServer, tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "sites.yaml"
    path.write_text(SITES.replace("<url>", server.url))
    settings.LODESTAR_SITES_FILE = path
    site_access.reload()
    caches["visitors"].clear()
    return path


@pytest.fixture
def cats(db: None, sites: Path) -> Segment:
    """The segment that mirrors aud_1; none mirrors aud_9."""
    group = changes.create_group(identifier="audiences", name="Audiences")
    return changes.create_segment(group, identifier="cats", name="Cats", by_platform=True, audience="aud_1")


def asked_by(user: Any, *, cookie: str | None = VISITOR, **cookies: str) -> HttpRequest:
    request = RequestFactory().get("/", headers={"host": "localhost"})
    request.user = user
    request.COOKIES |= cookies | ({"lodestar_visitor": cookie} if cookie else {})
    return request


@pytest.fixture
def browser(client: Client) -> Client:
    client.cookies["lodestar_visitor"] = VISITOR
    return client
