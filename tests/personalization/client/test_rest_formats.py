"""JSON or XML by ``Accept``, and answers that a caller need not fetch again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from defusedxml import ElementTree as ET
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalization import xml_form

from .test_rest import PREFIX, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]

LIST = "application/vnd.ibexa.api.ContentList"
ONE = f"{PREFIX}/content/id/1?lang=eng-GB"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", f"{LIST}+json"),
        ("", f"{LIST}+json"),
        ("application/json", f"{LIST}+json"),
        ("application/vnd.ibexa.api.Content+json", f"{LIST}+json"),
        ("application/vnd.ez.api.contentlist+json", f"{LIST}+json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", f"{LIST}+json"),
        ("application/xml", f"{LIST}+xml"),
        ("application/vnd.ibexa.api.ContentList+xml", f"{LIST}+xml"),
        ("APPLICATION/VND.IBEXA.API.CONTENT+XML", f"{LIST}+xml"),
        ("application/json;q=0.2, text/xml;q=0.9", f"{LIST}+xml"),
    ],
)
def test_the_accept_header_chooses_the_form(
    accept: str, kind: str, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1)
    answer = client.get(ONE, headers={**bearer(), "Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert {"Accept", "Authorization"} <= set(answer["Vary"].split(", "))


@pytest.mark.parametrize("accept", ["text/html", "application/vnd.ibexa.api.ContentList+yaml", "nonsense"])
def test_a_form_that_is_not_offered_is_refused(
    accept: str, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1)
    answer = client.get(ONE, headers={**bearer(), "Accept": accept})
    assert answer.status_code == 406
    assert "application/xml" in json.loads(answer.content)["ErrorMessage"]["errorDescription"]


def test_xml_says_what_json_says(client: Client, make_items: Callable[..., None]) -> None:
    make_items(3)
    address = f"{PREFIX}/contentlist/3,1"
    told = json.loads(client.get(address, headers=bearer()).content)["contentList"]["content"]
    root = ET.fromstring(client.get(address, headers={**bearer(), "Accept": "application/xml"}).content)

    assert (root.tag, root.get("media-type")) == ("contentList", f"{LIST}+xml")
    assert [one.findtext("contentId") for one in root] == ["3", "1"]
    for element, item in zip(root, told, strict=True):
        assert element.get("media-type") == "application/vnd.ibexa.api.Content+xml"
        assert [one.text for one in element.findall("categoryPath")] == [item["categoryPath"]]
        place = element.find("mainLocation")
        assert place is not None
        assert place.get("href") == item["mainLocation"]["_href"]
        names = list(dict.fromkeys(child.tag for child in element))
        assert names == [key for key in item if not key.startswith("_") and item[key] != []]


def test_errors_take_the_same_form(client: Client) -> None:
    answer = client.get(f"{PREFIX}/content/id/x", headers={**bearer(), "Accept": "application/xml"})
    root = ET.fromstring(answer.content)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/vnd.ibexa.api.ErrorMessage+xml"
    assert (root.tag, root.findtext("errorCode")) == ("ErrorMessage", "400")
    assert "whole numbers" in (root.findtext("errorDescription") or "")


def test_an_answer_that_has_not_changed_is_not_sent_again(
    client: Client, make_items: Callable[..., None]
) -> None:
    make_items(2)
    first = client.get(ONE, headers=bearer())
    again = client.get(ONE, headers={**bearer(), "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"{PREFIX}/content/id/2", headers={**bearer(), "If-None-Match": first["ETag"]})
    assert other.status_code == 200
    as_xml = {**bearer(), "If-None-Match": first["ETag"], "Accept": "application/xml"}
    assert client.get(ONE, headers=as_xml).status_code == 200
    assert client.get(ONE, headers={"If-None-Match": first["ETag"]}).status_code == 401


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
names = st.text(max_size=8)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(names, scalars, max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(names, values, max_size=5))
def test_whatever_an_item_holds_is_well_formed_xml(item: dict[str, object]) -> None:
    written = xml_form.as_xml({"contentList": {"content": [item]}})
    assert ET.fromstring(written).tag == "contentList"
