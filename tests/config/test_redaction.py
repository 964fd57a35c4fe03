"""What must never stand in a log, and the channels."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from config.logging import channel_files
from config.redaction import MASK, PREFIXES, WORDS, OneLine, redact, redacted_path
from tracking.collector import path
from tracking.events import SPELLINGS

SECRET_LINES = [
    "license_key=67890-1234",
    '{"license_key": "67890-1234"}',
    "password: 67890-1234",
    "Authorization: Bearer 67890-1234-abc",
    "Authorization: Basic 67890-1234-abc",
    "https://10101:67890-1234@engine.example/x",
    "token=67890-1234&other=1",
    "Cookie=67890-1234",
    "sent Bearer 67890-1234-abc to nobody",
]


@pytest.mark.parametrize("line", SECRET_LINES)
def test_it_hides_secrets_by_the_name_of_their_key(line: str) -> None:
    assert "67890-1234" not in redact(line)
    assert MASK in redact(line)


def test_it_hides_the_license_keys_of_the_sites_file_wherever_they_stand() -> None:
    assert "1111-2222-3333" not in redact("asked with 1111-2222-3333-4444-5555 by hand")


def test_it_says_in_one_line_that_a_host_name_is_not_allowed(
    caplog: pytest.LogCaptureFixture, settings: Settings, db: None
) -> None:
    settings.DEBUG = False
    answer = Client(headers={"host": "stranger.example"}).get("/")
    assert answer.status_code == 400
    [record] = [one for one in caplog.records if one.name == "django.security.DisallowedHost"]
    [line] = OneLine("%(levelname)s %(message)s").format(record).splitlines()
    assert "You may need to add 'stranger.example' to ALLOWED_HOSTS." in line


def test_it_leaves_ordinary_text_alone() -> None:
    text = "Job 5 (export) done: 100 items in 3 s, folder 2026/11/22/18/05."
    assert redact(text) == text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/api/10101/click/jane/38/5?x=1", "/api/10101/click/[user]/38/5?x=1"),
        ("/ebl/10101/click/jane/38/5", "/ebl/10101/click/[user]/38/5"),
        ("/news/10101/login/a/jane", "/news/10101/login/[user]/[user]"),
        ("/news/10101/", "/news/10101/"),
        ("/api/10101/login/a%40b/jane", "/api/10101/login/[user]/[user]"),
        ("/api/v2/10101/jane/front.json", "/api/v2/10101/[user]/front.json"),
        ("/api/10101/click/o'brien@example.org/1/1", "/api/10101/click/[user]/1/1"),
        ('/api/10101/click/"jane"/1/1', "/api/10101/click/[user]/1/1"),
        ("/api/10101/click/jane doe/1/1", "/api/10101/click/[user]/1/1"),
        ("/api/10101/click/jane\xa0doe\t/1/1", "/api/10101/click/[user]/1/1"),
        ("/api/10101/click/jane", "/api/10101/click/[user]"),
        ("/api/10101/click/jane/doe/1/1", "/api/10101/click/[user]/[user]/[user]/[user]"),
        ("/api/10101/login/a/jane/x", "/api/10101/login/[user]/[user]/[user]"),
        ("/api/10101/%63lick/jane/1/1", "/api/10101/[hidden]/[user]/[user]/[user]"),
        ("/api/10101/Click/jane/1/1", "/api/10101/[hidden]/[user]/[user]/[user]"),
        ("/api/click/jane/1/1", "/api/click/[hidden]/[user]/[user]"),
        ("/api//10101/click/jane/1", "/api//[hidden]/[user]/[user]/[user]"),
        ("/api%2F10101%2Fclick%2Fjane/1/1", "/api%2F[hidden]/[hidden]/[user]"),
        ("/%61PI/10101/click/jane/1/1", "/%61PI/10101/click/[user]/1/1"),
        ("https://a.example/x/api/10101/click/jane/1/1", "https://a.example/x/api/10101/click/[user]/1/1"),
        ("/api/v2/10101/o'neil/popular.json", "/api/v2/10101/[user]/popular.json"),
        ("/api/v2/10101/jane/doe/popular.json", "/api/v2/10101/[user]/[user]/popular.json"),
        ("/api/v2/10101/jane", "/api/v2/10101/[user]"),
        ("/ebl/v2/10101/jane/front.json", "/ebl/v2/10101/[user]/front.json"),
        ("/api/V2/10101/jane/front.json", "/api/V2/[hidden]/[user]/[user]"),
        ("/api/10101/item/39/1", "/api/10101/item/39/1"),
        ("/api/10101/events", "/api/10101/events"),
        ("/api/schema/tracking.json", "/api/schema/tracking.json"),
        (
            "/api/ibexa/v2/personalization/v1/content/id/1",
            "/api/ibexa/v2/personalization/v1/content/id/1",
        ),
        ("/api/10101/items", "/api/10101/items"),
        ("/places/kochi/", "/places/kochi/"),
    ],
)
def test_it_replaces_user_ids_in_addresses(address: str, shown: str) -> None:
    assert redacted_path(address) == shown


def test_it_replaces_user_ids_in_the_middle_of_a_text() -> None:
    text = "GET /api/10101/click/o'brien/1/1 took 5 s, /api/v2/10101/o'neil/front.json?numrecs=3 took 6"
    shown = "GET /api/10101/click/[user]/1/1 took 5 s, /api/v2/10101/[user]/front.json?numrecs=3 took 6"
    assert redact(text) == shown


def test_it_replaces_user_ids_with_blanks_in_what_is_logged_of_an_address() -> None:
    record = logging.LogRecord(
        "d", logging.INFO, "f", 1, "Not Found: %s", ("/api/v2/1/jane doe/x.json",), None
    )
    assert OneLine("%(message)s").format(record) == "Not Found: /api/v2/1/[user]/x.json"


def test_it_knows_the_prefixes_and_codes_of_events() -> None:
    assert {prefix.decode() for prefix in path.PREFIXES} == set(PREFIXES)
    assert SPELLINGS.keys() <= WORDS


def test_it_writes_one_line_whatever_the_message_holds() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine("%(message)s"))
    record = logging.LogRecord("cdp", logging.INFO, "f", 1, "id %s", ("a\r\nFAKE password=hunter2",), None)
    handler.emit(record)
    assert stream.getvalue() == f"id a\\r\\nFAKE password={MASK}\n"


def test_it_sends_a_channel_to_a_file_of_its_own(tmp_path: Path) -> None:
    pairs = ["ibexa-personalization=p.log", "cdp.webhook=/logs/w.log"]
    assert channel_files(pairs, root=tmp_path) == {
        "personalization": tmp_path / "p.log",
        "cdp.webhook": Path("/logs/w.log"),
    }
    with pytest.raises(ImproperlyConfigured, match="'nonsense' is none"):
        channel_files(["nonsense"], root=tmp_path)


@pytest.mark.parametrize("method", ["TRACE", "JUNK"])
def test_it_answers_405_to_methods_nobody_knows(method: str, client: Client) -> None:
    answer = client.generic(method, "/anything/")
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]


def test_it_refuses_long_addresses_and_chunked_bodies_readably(client: Client) -> None:
    assert client.get("/" + "x" * 8000).status_code == 414
    assert client.post("/x", HTTP_TRANSFER_ENCODING="chunked").status_code == 411
