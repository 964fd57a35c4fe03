"""Cases of reference `client-protocol.md` 9.6: what the engine fetches.

Case 9-79 is in tests/personalization/weaknesses/test_rest.py.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from personalization.client import tokens
from tests.personalization.client.conftest import Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]
PREFIX = "/api/ibexa/v2/personalization/v1"


def get(client: Client, tail: str) -> Any:
    return client.get(f"{PREFIX}/{tail}", headers={"Authorization": f"Bearer {tokens.mint(501)}"})


def ids(answer: Any) -> list[int]:
    return [item["contentId"] for item in json.loads(answer.content)["contentList"]["content"]]


def test_it_answers_one_item_with_its_ten_keys_and_then_its_fields(
    make_items: Callable[..., None], client: Client
) -> None:
    """Case 9-77."""
    make_items(1)
    answer = get(client, "content/id/1?lang=eng-GB")
    assert answer.status_code == 200
    [item] = json.loads(answer.content)["contentList"]["content"]
    assert list(item) == [
        "_media-type",
        "contentId",
        "contentTypeId",
        "identifier",
        "language",
        "publishedDate",
        "author",
        "uri",
        "categoryPath",
        "mainLocation",
        "locations",
        "name",
        "intro",
    ]


def test_it_pages_through_a_type(make_items: Callable[..., None], client: Client) -> None:
    """Case 9-81."""
    make_items(25)
    assert ids(get(client, "contenttypes/38?page=2&page_size=10")) == list(range(11, 21))
    assert ids(get(client, "contenttypes/38")) == list(range(1, 11))


def test_it_hands_out_a_file_byte_for_byte(
    make_items: Callable[..., None], client: Client, engine: Engine, export_root: Path
) -> None:
    """Case 9-83."""
    make_items(3)
    call_command("run_export", "--quiet", stdout=StringIO())
    event = engine.received[0].json["events"][0]
    login = b64encode("{login}:{password}".format(**event["credentials"]).encode()).decode()
    path = event["uri"][0].removeprefix("https://site.example")
    answer = client.get(path, headers={"Authorization": f"Basic {login}"})
    data = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    [file] = export_root.rglob("place_eng-GB_1")
    assert (answer.status_code, data) == (200, file.read_bytes())
    assert answer["Content-Length"] == str(len(data))
    assert answer["Content-Disposition"] == 'attachment; filename="place_eng-GB_1"'


def test_both_spellings_of_the_list_answer_alike(make_items: Callable[..., None], client: Client) -> None:
    """Case 9-85."""
    make_items(2, start=71)
    one, other = get(client, "contentlist/71,72"), get(client, "content/list/71,72")
    assert ids(one) == [71, 72]
    assert (one.content, one.headers["Content-Type"]) == (other.content, other.headers["Content-Type"])
