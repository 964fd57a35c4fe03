"""Each request leaves one line, without secrets and people."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tests.cdp.conftest import SECRET, Platform
from tests.environ import of_its_own
from tests.flows.installation import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.case("B17")
def test_every_request_is_logged_without_secrets_and_people(
    platform: Platform, users: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="cdp.webhook"):
        platform.send(("add", "a", "mabel@example.org"), person_identifier="email")
        platform.post(b"{", headers={})
        path = f"/cdp/webhook/batches/{UUID(int=7)}"
        platform.client.get(path, headers=platform.headers)
    [first, second, third] = [one.getMessage() for one in caplog.records if one.name == "cdp.webhook"]
    assert "request r1 of client mine, 1 actions -> 200 processed in" in first
    assert "-> 401 unauthorized" in second
    assert f"webhook: batch {UUID(int=7)} -> 404 in" in third
    assert "mabel" not in first
    assert SECRET not in first + second + third


@pytest.mark.case("B17")
def test_the_line_says_how_a_request_was_handled(
    platform: Platform, users: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    document = platform.document(*[("add", "a", one) for one in users[:100]])
    with caplog.at_level(logging.DEBUG, logger="cdp.webhook"):
        platform.post(document)
        platform.post(document)
    lines = [one.getMessage() for one in caplog.records if one.name == "cdp.webhook"]
    assert "100 actions -> 202 queued in" in lines[0]
    assert "100 actions -> 202 repeated in" in lines[1]


@pytest.mark.case("B17")
@pytest.mark.parametrize("channel", ["cdp.webhook", "ibexa.cdp.webhook"])
def test_the_lines_go_to_a_file_of_their_own_and_nowhere_else(tmp_path: Path, channel: str) -> None:
    code = (
        "import django, logging; django.setup(); from django.test import Client; "
        "Client(headers={'host': 'localhost'}).post('/cdp/webhook', b'{}', content_type='application/json'); "
        "logging.getLogger('cdp').warning('of the main log')"
    )
    env = of_its_own(
        LODESTAR_VAR_DIR=str(tmp_path),
        LODESTAR_LOG_LEVEL="info",
        LODESTAR_LOG_FILES=f"{channel}=webhook.log",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    [file] = tmp_path.rglob("webhook.log")
    [line] = file.read_text().splitlines()
    assert "DEBUG cdp.webhook: webhook: request - of client -, - actions -> 401 unauthorized in" in line
    assert "webhook:" not in done.stderr
    assert "of the main log" in done.stderr
