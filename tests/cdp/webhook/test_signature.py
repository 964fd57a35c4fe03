"""Signed requests: Standard Webhooks 1.0 on top of client id and secret."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from cdp import configuration
from cdp.webhook import signature
from config import site_access
from tests.cdp.conftest import SECRET, SITES, Platform

pytestmark = pytest.mark.django_db
FIRST = "whsec_" + base64.b64encode(b"a" * 32).decode()
SECOND = "whsec_" + base64.b64encode(b"b" * 24).decode()


@pytest.fixture
def signed(sites: Path, platform: Platform) -> Platform:
    both = f"client_secret: {SECRET}, signing_secret: ['{FIRST}', '{SECOND}']"
    sites.write_text(SITES.replace(f"client_secret: {SECRET}", both))
    site_access.reload()
    return platform


def headers_for(body: bytes, *, secret: str = FIRST, at: float = 0) -> dict[str, str]:
    sent = str(int(time.time() + at))
    given = signature.sign("msg_1", sent, body, secret=secret)
    return {"webhook-id": "msg_1", "webhook-timestamp": sent, "webhook-signature": given}


@pytest.mark.parametrize("secret", [FIRST, SECOND])
def test_a_signed_request_is_taken(signed: Platform, secret: str) -> None:
    body = orjson.dumps(signed.document())
    headers = signed.headers | headers_for(body, secret=secret)
    assert signed.post(body, headers=headers).status_code == 200
    several = headers | {"webhook-signature": "v1a,xyz v1,AAAA " + headers["webhook-signature"]}
    assert signed.post(body, headers=several).status_code == 200


def test_it_signs_as_the_standard_says() -> None:
    """The example of the specification."""
    found = signature.sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"webhook-id": "msg_2"}, "not that of this body"),
        ({"webhook-id": ""}, "Send the headers"),
        ({"webhook-signature": "v1a,"}, "not that of this body"),
        ({"webhook-signature": "v1,ü"}, "not that of this body"),
        ({"webhook-signature": "v1,AAAA " * 1000}, "At most 10 signatures are read; got 1000."),
        ({"webhook-timestamp": "soon"}, "whole seconds since 1970; got 'soon'"),
        ({"webhook-timestamp": "1"}, "over 300 seconds from now; got 1."),
    ],
)
def test_another_one_is_refused(signed: Platform, change: dict[str, str], says: str) -> None:
    body = orjson.dumps(signed.document())
    answer = signed.post(body, headers=signed.headers | headers_for(body) | change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_signature")
    assert says in answer.json()["error"]["message"]


@pytest.mark.parametrize(("seconds", "status"), [(-290, 200), (290, 200), (-320, 401), (320, 401)])
def test_the_time_must_be_near(signed: Platform, seconds: float, status: int) -> None:
    body = orjson.dumps(signed.document())
    assert signed.post(body, headers=signed.headers | headers_for(body, at=seconds)).status_code == status


def test_a_space_more_and_no_signature_are_refused(signed: Platform) -> None:
    body = orjson.dumps(signed.document())
    assert signed.post(body + b" ", headers=signed.headers | headers_for(body)).status_code == 401
    assert signed.post(body).status_code == 401
    # The credentials come first.
    assert signed.post(body, headers=headers_for(body)).json()["error"]["code"] == "unauthorized"


@pytest.mark.parametrize("wrong", ["abc", "whsec_short", "whsec_" + "é" * 40, ["a", "b", "c"], 7])
def test_a_secret_must_be_one(sites: Path, wrong: Any) -> None:
    written = f"client_secret: {SECRET}, signing_secret: {orjson.dumps(wrong).decode()}"
    sites.write_text(SITES.replace(f"client_secret: {SECRET}", written))
    site_access.reload()
    [fault] = configuration.current().faults
    assert "cdp.activations.0.signing_secret" in fault
    assert "whsec_short" not in fault
