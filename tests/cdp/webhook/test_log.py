"""Each request leaves one line, without secrets and people."""

from __future__ import annotations

import logging

import pytest

from tests.cdp.conftest import SECRET, Platform

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_request_is_logged_without_secrets_and_people(
    platform: Platform, users: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="cdp.webhook"):
        platform.send(("add", "a", "mabel@example.org"), person_identifier="email")
        platform.post(b"{", headers={})
    [first, second] = [one.getMessage() for one in caplog.records if one.name == "cdp.webhook"]
    assert "request r1 of client mine, 1 actions -> 200" in first
    assert "-> 401 unauthorized" in second
    assert "mabel" not in first
    assert SECRET not in first + second
