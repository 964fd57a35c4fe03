"""Faults of the reference's content REST and of its secrets that are not repeated (reference 10.3, 10.4)."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import call_command
from django.test import Client
from wagtail.images.models import Image

from config.jobs import outbox
from content.items import types
from content.items.pictures import rendition_of
from content.items.record import Item
from content.items.types import item_type
from content.models import FolderPage, PlacePage
from personalization.client import tokens
from personalization.client.models import AccessToken
from tests.content.conftest import Magazine, committed, stored
from tests.personalization.client.conftest import SITES, Engine, payload_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]
MakeItems = Callable[..., None]
PREFIX = "/api/ibexa/v2/personalization/v1"


def bearer(customer: int = 501) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.mint(customer)}"}


def basic(login: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{login}:{password}".encode()).decode()}


def items(answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer.content)["contentList"]["content"]
    return found


def with_login(method: str) -> str:
    """The sites file with this method and a login of the operator's."""
    login = "login: shop, password: s3cret-of-the-operator"
    export = f"export: {{{{ authentication: {{{{ method: {method}, {login} }}}} }}}}"
    return SITES.replace("    default:\n", f"    default:\n      {export}\n")


def run_export() -> None:
    call_command("run_export", "--quiet")


def test_w03_files_and_endpoints_hold_the_same_bytes(
    make_items: MakeItems, client: Client, export_root: Path
) -> None:
    # Brings it back: personalization/client/envelopes.py:
    # `body = b"".join((HEAD, joined, TAIL))` -> `body = joined`
    make_items(3)
    run_export()
    [file] = export_root.rglob("place_eng-GB_1")
    assert client.get(f"{PREFIX}/content/list/1,2,3", headers=bearer()).content == file.read_bytes()


@pytest.mark.parametrize("method", ["basic", "user", "none"])
def test_w09_each_method_opens_items_and_files_to_the_engine_and_to_nobody_else(
    method: str,
    make_items: MakeItems,
    engine: Engine,
    client: Client,
    export_root: Path,
    sites_file: Callable[[str], None],
) -> None:
    # Brings it back: personalization/client/access.py:
    # `if site is not None and site.export_method == "none":` ->
    # `if site is not None and site.export_method != "none":`
    sites_file(with_login(method))
    make_items(1)
    run_export()
    [event] = engine.received[0].json["events"]
    file, item = event["uri"][0].removeprefix("https://site.example"), f"{PREFIX}/content/id/1"
    given = event["credentials"]
    everybody = method == "none"
    assert status(client, file, {}) == (200 if everybody else 401)
    assert status(client, item, {}) == (200 if everybody else 401)
    assert status(client, file, basic("shop", "wrong")) == (200 if everybody else 401)
    assert status(client, file, {"Authorization": f"Bearer {given['token']}"}) == 200
    assert status(client, item, bearer()) == 200
    if not everybody:
        assert status(client, file, basic(given["login"], given["password"])) == 200
    stale = {"Authorization": "Bearer pt_stale"}
    assert status(client, item, stale) == (200 if everybody else 401)
    assert status(client, file, stale) == (200 if everybody else 401)
    if method == "user":
        assert (given["login"], given["password"]) == ("shop", "s3cret-of-the-operator")
        assert status(client, item, basic("shop", "s3cret-of-the-operator")) == 200


def test_a_login_may_be_called_token(
    make_items: MakeItems, client: Client, sites_file: Callable[[str], None]
) -> None:
    sites_file(with_login("user").replace("login: shop", "login: token"))
    make_items(1)
    item = f"{PREFIX}/content/id/1"
    assert status(client, item, basic("token", "s3cret-of-the-operator")) == 200
    assert status(client, item, basic("token", "wrong")) == 401


def status(client: Client, path: str, headers: dict[str, str]) -> int:
    answer = client.get(path, headers=headers)
    if answer.streaming:
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return int(answer.status_code)


def test_w19_a_field_overwrites_no_key_of_its_item(
    magazine: Magazine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Brings it back: content/items/payload.py:
    # `return f"{CLASH_PREFIX}{name}" if name in SYSTEM_KEYS else name` -> `return name`
    monkeypatch.setattr(types, "_TYPES", dict(types._TYPES))
    item_type("folder", id=7, fields={"language": "title", "contentId": "title"})(FolderPage)
    with committed():
        magazine.shop.save()
    item = stored(magazine.shop)
    assert item is not None
    assert (item["language"], item["field_language"]) == ("eng-GB", "Shop")
    assert (item["contentId"], item["field_contentId"]) == (magazine.shop.pk, "Shop")


def test_w22_no_log_holds_a_key_or_a_token(
    make_items: MakeItems, engine: Engine, export_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Brings it back: config/http/client.py: `"%s: %s %s -> %s in %d ms", self.purpose,` ->
    # `f"%s: %s %s -> %s in %d ms {dict(headers)} {content!r}", self.purpose,`
    make_items(1)
    root = logging.getLogger("personalization")
    level = root.level
    root.addHandler(caplog.handler)
    root.setLevel(logging.DEBUG)
    try:
        run_export()
    finally:
        root.removeHandler(caplog.handler)
        root.setLevel(level)
    given = engine.received[0].json["events"][0]["credentials"]
    assert "-> 202 in" in caplog.text
    for secret in ("1111-aaaa", given["password"], given["token"], "Basic "):
        assert secret not in caplog.text


def test_w25_wrong_credentials_are_401(make_items: MakeItems, client: Client) -> None:
    """Case 9-79."""
    # Brings it back: personalization/client/envelopes.py:
    # `return error(HTTPStatus.UNAUTHORIZED, ` -> `return error(HTTPStatus.INTERNAL_SERVER_ERROR, `
    make_items(1)
    for headers in ({}, basic("501", "1111-aaaa"), {"Authorization": "Bearer pt_x"}):
        answer = client.get(f"{PREFIX}/content/id/1", headers=headers)
        assert answer.status_code == 401
        assert "Bearer" in answer["WWW-Authenticate"]
        message = json.loads(answer.content)["ErrorMessage"]
        assert message["errorDescription"] == "Access denied: wrong credentials"


def test_w26_a_bad_list_of_ids_is_400(make_items: MakeItems, client: Client) -> None:
    # Brings it back: personalization/client/asked.py:
    # `raise BadRequest(f"Ids are whole numbers separated by commas; got {wrong[:80]!r}.")` -> `return []`
    make_items(1)
    for ids in ("1,x", "1,,2", "1.5", "-1"):
        answer = client.get(f"{PREFIX}/contentlist/{ids}", headers=bearer())
        assert answer.status_code == 400
        assert json.loads(answer.content)["ErrorMessage"]["errorMessage"] == "Bad Request"


def test_w27_image_and_fields_are_heard(
    make_items: MakeItems, client: Client, picture: Image, settings: Any
) -> None:
    # Brings it back: personalization/client/asked.py:
    # `return request.GET.get("image", "").strip()` -> `return ""`
    settings.IMAGE_VARIATIONS = {"rss": "max-90x90|format-jpeg"}
    exported = rendition_of(picture).url
    make_items(1)
    Item.objects.update(payload=payload_of(1, "place", "eng-GB", image=exported))
    query = "?image=rss&fields=image,name"
    [item] = items(client.get(f"{PREFIX}/contenttypes/38{query}", headers=bearer()))
    assert ".max-90x90" in item["image"]
    assert "name" in item
    assert "intro" not in item


def test_w28_lists_are_repeated_elements_in_xml(make_items: MakeItems, client: Client) -> None:
    # Brings it back: personalization/xml_form.py:
    # `if isinstance(value, list):` -> `if False:`
    make_items(1)
    lists = {"categoryPath": ["/1/2/", "/1/3/"], "tags": ["sea", "port"]}
    Item.objects.update(payload=payload_of(1, "place", "eng-GB", **lists))
    headers = bearer() | {"Accept": "application/vnd.ibexa.api.ContentList+xml"}
    answer = client.get(f"{PREFIX}/content/id/1", headers=headers)
    [content] = ET.fromstring(answer.content)  # noqa: S314 - our own answer
    assert [one.text for one in content.iter("categoryPath")] == lists["categoryPath"]
    assert [one.text for one in content.iter("tags")] == lists["tags"]


def test_w48_an_event_carries_a_token_of_one_day_and_no_lasting_login(
    make_items: MakeItems,
    magazine: Magazine,
    engine: Engine,
    client: Client,
    export_root: Path,
    sites_file: Callable[[str], None],
) -> None:
    # Brings it back: personalization/client/notify.py: `if site.export_method == "user":` ->
    # `if site.export_password:`
    sites_file(with_login("basic"))
    with committed():
        place = magazine.place("Harbour")
    run_export()
    outbox.deliver_due()
    told = [event for call in engine.received for event in call.json["events"]]
    assert [event["action"] for event in told] == ["FULL", "UPDATE"]
    assert "s3cret-of-the-operator" not in json.dumps(told)
    update = told[1]["credentials"]
    path = f"{PREFIX}/content/id/{place.pk}"
    assert client.get(path, headers=basic(update["login"], update["password"])).status_code == 200
    row = AccessToken.objects.get(digest=tokens.digest(update["token"]))
    assert (row.identifier, row.expires_at - row.created_at) == ("update", timedelta(days=1))
    assert client.get(path, headers=basic(update["login"], "pt_x")).status_code == 401


def test_w54_an_item_that_is_not_there_is_not_found(make_items: MakeItems, client: Client) -> None:
    # Brings it back: personalization/client/envelopes.py: `if not joined:` -> `if joined is None:`
    make_items(1)
    for tail in ("content/id/99", "content/remote-id/none", "content/list/98,99", "contenttypes/39"):
        answer = client.get(f"{PREFIX}/{tail}", headers=bearer())
        assert (answer.status_code, answer.content) == (204, b"")


def test_w55_one_broken_item_leaves_the_others_whole(
    magazine: Magazine, picture: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Brings it back: content/items/scoped.py: `except Exception as error:` -> `except KeyError as error:`
    def author(page: PlacePage) -> str:
        if page.title == "Broken":
            raise RuntimeError("no such author")
        return "Ana"

    monkeypatch.setattr(types, "_TYPES", dict(types._TYPES))
    kind = types.item_types()["place"]
    item_type("place", id=kind.id, fields=kind.fields, author="written_by")(PlacePage)
    monkeypatch.setattr(PlacePage, "written_by", property(author), raising=False)
    picture.file.storage.delete(picture.file.name)
    with committed():
        broken, whole = magazine.place("Broken", image=picture), magazine.place("Whole")
    found = [stored(page) for page in (broken, whole)]
    assert [(item["name"], item["author"], item["image"]) for item in found if item] == [
        ("Broken", "", None),
        ("Whole", "Ana", None),
    ]
