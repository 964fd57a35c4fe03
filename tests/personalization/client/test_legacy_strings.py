"""Items with strings for values, for engines of older versions (reference 5.2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from django.core.management import call_command
from django.test import Client

from content.items.legacy import with_strings
from content.items.record import Item
from personalization.client import tokens

from .conftest import SITES, payload_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]

TYPED = {"intro": "<p>Café</p>\n", "rating": 4.5, "stars": 3, "open": True, "tags": ["a", "b"], "gone": None}
STRINGS = {
    "intro": "<![CDATA[<p>Café</p>\n]]>",
    "rating": "4.5",
    "stars": "3",
    "open": "1",
    "tags": "a,b",
    "gone": "",
}


@pytest.mark.parametrize("legacy", [False, True])
def test_files_and_endpoints_have_strings_where_the_site_asks_for_them(
    legacy: bool,  # noqa: FBT001 - parametrised
    make_items: Callable[..., None],
    sites_file: Callable[[str], None],
    client: Client,
    export_root: Path,
) -> None:
    content = "      repository: {{ content: {{ legacy_strings: true }} }}\n    site_fr:"
    sites_file(SITES.replace("    site_fr:", content) if legacy else SITES)
    make_items(1)
    Item.objects.update(payload=payload_of(1, "place", "eng-GB", **TYPED))
    call_command("run_export", "--quiet", stdout=StringIO())
    [file] = export_root.rglob("place_eng-GB_1")
    headers = {"Authorization": f"Bearer {tokens.mint(501)}"}
    answer = client.get("/api/ibexa/v2/personalization/v1/content/id/1", headers=headers)
    for document in (json.loads(file.read_bytes()), json.loads(answer.content)):
        [item] = document["contentList"]["content"]
        shown: dict[str, Any] = {name: item[name] for name in TYPED}
        assert shown == (STRINGS if legacy else TYPED)
        assert (item["contentId"], item["contentTypeId"]) == (1, 38), "the item's own keys stay typed"


def test_an_end_marker_in_rich_text_ends_no_section() -> None:
    body = json.loads(with_strings(payload_of(1, "place", "eng-GB", intro="<p>a ]]> b</p>")))
    assert body["intro"] == "<![CDATA[<p>a ]]]]><![CDATA[> b</p>]]>"
    parsed = fromstring(f"<value>{body['intro']}</value>")
    assert parsed.text == "<p>a ]]> b</p>"
