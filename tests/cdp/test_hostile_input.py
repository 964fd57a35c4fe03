"""What was made to hurt is refused in a sentence at every entrance, and nothing of it is stored."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from cdp.audiences.models import Audience
from cdp.dataflows.models import Payload, Run
from cdp.models import BulkItem, WebhookRequest
from cdp.profiles import accounts
from cdp.profiles.models import ErasureTicket
from personalization.segments.models import Membership, Segment
from tests.cdp.conftest import Platform
from tests.cdp.dataflows.conftest import Feed

pytestmark = pytest.mark.django_db
JSON = "application/json"
STORED: tuple[Any, ...] = (
    *(Run, Payload, WebhookRequest, BulkItem, Segment, Membership),
    *(Audience, ErasureTicket),
)
Send = Callable[[bytes], Any]


class Entrance(NamedTuple):
    """``around``: the JSON of a request up to the value that is too much, and behind it."""

    send: Send
    around: tuple[bytes, bytes]


@pytest.fixture
def entrances(platform: Platform) -> dict[str, Entrance]:
    account = accounts.create(123456, name="Shop")
    feed = Feed(account)
    boss = User.objects.create_superuser("boss", "boss@example.org", "x" * 12)
    client, anonymous = Client(), Client()
    client.force_login(boss)
    login = {"authorization": "Basic " + base64.b64encode(b"boss:" + b"x" * 12).decode()}
    key = {"x-api-key": accounts.new_key(account)}
    download = reverse("cdp_dataflow_download", args=[feed.flow.pk])

    def post(path: str, **options: Any) -> Send:
        return lambda body: client.post(path, body, content_type=JSON, **options)

    def upload(mode: str) -> Send:
        def send(body: bytes) -> Any:
            file = SimpleUploadedFile("u.json", body)
            return client.post(download, {"action": "upload", "mode": mode, "file": file})

        return send

    def save(body: bytes) -> Any:
        posted = {"action": "save", "account": account.pk, "name": "Deep", "definition": body.decode()}
        return client.post(reverse("cdp_audience_new"), posted)

    row = (b'[{"id": 1, "x": ', b"}]")
    line = (b'{"id": 1, "x": ', b"}\n")
    rule = (b'{"type": "group", "op": "and", "children": [', b"]}")
    asked = (b'{"account": %d, "definition": ' % account.pk, b"}")
    group = "/api/ibexa/v2/segment_groups"
    erase = "/gdpr/123456/DeleteUser"
    return {
        "stream": Entrance(feed.post, row),
        "stream of lines": Entrance(lambda body: feed.post(body, content_type="application/x-ndjson"), line),
        "upload": Entrance(upload("production"), row),
        "webhook": Entrance(platform.post, (b'{"version": 1, "audiences": ', b"}")),
        "preview": Entrance(post("/cdp/api/audiences/preview"), asked),
        "builder": Entrance(post(reverse("cdp_audience_preview")), asked),
        "audience": Entrance(save, rule),
        "erasure": Entrance(
            lambda body: anonymous.post(erase, body, content_type=JSON, headers=key), (b'{"UserId": ', b"}")
        ),
        "segments": Entrance(
            lambda body: anonymous.post(group, body, content_type=JSON, headers=login),
            (b'{"SegmentGroupCreate": {"identifier": "g", "name": ', b"}}"),
        ),
    }


NAMES = [
    *("stream", "stream of lines", "upload", "webhook", "preview", "builder", "audience"),
    *("erasure", "segments"),
]


def sentence(answer: Any) -> str:
    """What an answer says, wherever it says it."""
    if not answer.headers["Content-Type"].startswith(("text/html", "text/plain")):
        found = orjson.loads(answer.content)
        return str(found)
    return str(answer.content.decode())


@pytest.mark.parametrize("name", NAMES)
def test_json_that_is_too_deep_is_refused(entrances: dict[str, Entrance], name: str) -> None:
    send, (before, behind) = entrances[name]
    for depth in (100_000, 1_000, 300):
        answer = send(before + b"[" * depth + b"]" * depth + behind)
        assert 400 <= answer.status_code < 500, (depth, answer.content[:300])
        assert len(sentence(answer)) > 20
    assert [model for model in STORED if model._default_manager.exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_fifty_megabytes_are_refused(entrances: dict[str, Entrance], name: str) -> None:
    send, (before, behind) = entrances[name]
    answer = send(before + b'"' + b"x" * 50_000_000 + b'"' + behind)
    assert 400 <= answer.status_code < 500
    assert len(sentence(answer)) > 20
    assert [model for model in STORED if model._default_manager.exists()] == []
