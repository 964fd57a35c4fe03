"""A site with two activations, each with a segment group of its own."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from config import site_access
from personalization.segments import changes
from personalization.segments.models import SegmentGroup

SECRET, OTHER_SECRET = "s" * 40, "o" * 40
SITES = f"""
personalization:
  system:
    site_en:
      authentication: {{customer_id: 501, license_key: 1-2-3-4-5}}
      cdp:
        account_number: 123456
        activations:
          - {{client_id: mine, client_secret: {SECRET}, segment_group_identifier: audiences}}
    without_engine:
      cdp:
        activations: {{client_id: theirs, client_secret: {OTHER_SECRET}, segment_group_identifier: others}}
ibexa_cdp:
  bulk_async_threshold: 100
"""


@pytest.fixture
def sites(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "sites.yaml"
    path.write_text(SITES)
    settings.LODESTAR_SITES_FILE = path
    site_access.reload()
    cache.clear()
    return path


@pytest.fixture
def group(db: None) -> SegmentGroup:
    changes.create_group(identifier="others", name="Others")
    return changes.create_group(identifier="audiences", name="Audiences")


@pytest.fixture
def users(db: None) -> list[int]:
    User.objects.bulk_create([User(username=f"u{n}", email=f"u{n}@example.org") for n in range(300)])
    return list(User.objects.order_by("pk").values_list("pk", flat=True))


class Platform:
    """Sends webhook requests as an activation does."""

    def __init__(self, client_id: str = "mine", secret: str = SECRET) -> None:
        self.client = Client(enforce_csrf_checks=True)
        pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        self.headers = {"authorization": f"Basic {pair}"}
        self.count = 0

    def document(self, *actions: tuple[str, str, Any], **changes: Any) -> dict[str, Any]:
        """``actions``: op, audience id, person. The audiences are those of the actions."""
        self.count += 1
        names = dict.fromkeys(audience for _, audience, _ in actions)
        return {
            "version": 1,
            "request_id": f"r{self.count}",
            "sent_at": "2026-05-01T05:00:07Z",
            "activation": {"id": "act_7", "name": "Site"},
            "segment_group_identifier": "audiences",
            "person_identifier": "userid",
            "audiences": [
                {"id": name, "identifier": f"audience_{name}", "name": f"Audience {name}"} for name in names
            ],
            "actions": [{"op": op, "audience": name, "person": person} for op, name, person in actions],
        } | changes

    def post(
        self, document: Any, *, headers: dict[str, str] | None = None, path: str = "/cdp/webhook"
    ) -> Any:
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        return self.client.post(
            path,
            body,
            content_type="application/json",
            headers=self.headers if headers is None else headers,
        )

    def send(self, *actions: tuple[str, str, Any], **changes: Any) -> Any:
        return self.post(self.document(*actions, **changes))


@pytest.fixture
def platform(sites: Path, group: SegmentGroup) -> Platform:
    return Platform()
