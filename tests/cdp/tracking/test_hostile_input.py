"""What was made to hurt is refused in a sentence by every address that takes events."""

from __future__ import annotations

import base64

import pytest
from django.conf import settings
from django.test import Client

from cdp.profiles.models import Consent
from tests.cdp.tracking.conftest import ACCOUNT, COID, CUSTOMER, KEY, waiting
from tracking.models import Event

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
BASIC = {"authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
OWN = {"origin": "http://testserver", "sec-fetch-site": "same-origin"}
ENTRANCES = {
    "own pages": (
        f"/raptor/track?customer={CUSTOMER}",
        OWN,
        (b'{"event": "visit", "params": {"p2": ', b"}}"),
    ),
    "own pages, many": (
        f"/raptor/track?customer={CUSTOMER}",
        OWN,
        (b'[{"event": "visit", "params": ', b"}]"),
    ),
    "consent": (
        f"/t/{ACCOUNT}/consent",
        OWN,
        (b'{"status": "granted", "coid": "%s", "purposes": ' % COID.encode(), b"}"),
    ),
    "track": ("/v1/track", BASIC, (b'{"event": "visit", "userId": "14", "properties": ', b"}")),
    "traits": ("/v1/identify", BASIC, (b'{"userId": "14", "traits": {"x": ', b"}}")),
    "batch": ("/v1/batch", BASIC, (b'{"batch": [{"type": "track", "event": "visit", "properties": ', b"}]}")),
    "events": (f"/api/{CUSTOMER}/events", BASIC, (b'{"events": [{"event": "click", "userid": ', b"}]}")),
}


@pytest.mark.parametrize("name", ENTRANCES)
def test_it_is_refused_and_not_stored(client: Client, name: str) -> None:
    path, headers, (before, behind) = ENTRANCES[name]
    deep = [b"[" * depth + b"]" * depth for depth in (100_000, 1_000, 300)]
    for value in (*deep, b'"' + b"x" * 50_000_000 + b'"'):
        body = before + value + behind
        answer = client.post(path, body, content_type="application/json", headers=headers)
        said = answer.content.decode()
        if answer.status_code == 200:  # a batch names what it refuses
            assert "rejected" in said
        else:
            assert 400 <= answer.status_code < 500, said
        assert len(said) > 20
    assert waiting() == []
    assert not Event.objects.exists()
    assert not Consent.objects.exists()
