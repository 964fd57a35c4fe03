"""The user API of the engine: attributes in and out, and a user forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import call_command
from django.test import Client

from config.site_access import SiteAccess
from personalization.client import users
from personalization.client.users import Attribute, User
from personalization.server import people
from personalization.server.models import UserAttributes
from tests.personalization.server.conftest import Account, new_account
from tracking.identity import pseudonym
from tracking.models import Event
from tracking.people import erase, tombstones
from tracking.people.spans import Span

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
DOCUMENT = (
    '<?xml version="1.0"?><users>'
    '<user id="12"><attributes><attribute key="gender" value="male" type="NOMINAL"/>'
    '<attribute key="age" value="34" type="NUMERIC"/><attribute key="tag" value="a"/>'
    '<attribute key="tag" value="b"/></attributes></user>'
    '<user id="Ün+1"><attributes/></user></users>'
)


def post(client: Client, account: Account, document: str | bytes, source: str = "crm") -> Any:
    url = f"/api/{account.customer_id}/{source}/user"
    return client.post(url, document, content_type="text/xml", headers=account.headers)


def get(client: Client, account: Account, tail: str) -> Any:
    return client.get(f"/api/{account.customer_id}/{tail}", headers=account.headers)


def attributes(answer: Any) -> dict[str, list[dict[str, str]]]:
    assert answer.status_code == 200, answer.content
    root = ET.fromstring(answer.content)  # noqa: S314 - our own answer
    return {user.get("id", ""): [dict(one.attrib) for one in user.iter("attribute")] for user in root}


def test_it_shows_what_it_was_told(client: Client, account: Account) -> None:
    assert post(client, account, DOCUMENT).status_code == 200
    answer = get(client, account, "crm/user/12,%C3%9Cn+1,nobody")
    assert answer["Content-Type"].startswith("text/xml")
    assert attributes(answer) == {
        "12": [
            {"key": "gender", "value": "male", "type": "NOMINAL"},
            {"key": "age", "value": "34", "type": "NUMERIC"},
            {"key": "tag", "value": "a", "type": "NOMINAL"},
            {"key": "tag", "value": "b", "type": "NOMINAL"},
        ],
        "Ün+1": [],
    }
    assert get(client, account, "crm/user/nobody").status_code == 404
    assert get(client, account, "crm/user/un+1").status_code == 404, "case counts"


def test_a_new_upload_replaces_the_set_of_its_source(client: Client, account: Account) -> None:
    post(client, account, DOCUMENT)
    post(client, account, DOCUMENT.replace("male", "female").replace('key="age"', 'key="years"'))
    post(client, account, DOCUMENT.replace("34", "35"), source="shop")
    assert [one["key"] for one in attributes(get(client, account, "crm/user/12"))["12"]] == [
        "gender",
        "years",
        "tag",
        "tag",
    ]
    every = attributes(get(client, account, "crm/user/12?allSources=true"))["12"]
    assert {(one["key"], one.get("source", "")) for one in every} >= {("years", ""), ("age", "shop")}
    assert attributes(get(client, account, "crm/user/12?allSources")) == {"12": every}


def test_it_stores_no_id_in_clear(client: Client, account: Account) -> None:
    post(client, account, DOCUMENT.replace('"12"', '"mabel.kx7"'))
    rows = UserAttributes.objects.filter(customer_id=account.customer_id)
    assert {row.user for row in rows} == {
        pseudonym(account.customer_id, one) for one in ("mabel.kx7", "Ün+1")
    }
    assert "mabel" not in str([vars(row) for row in rows])


BAD: dict[str, str] = {
    "<users>": "no XML",
    "<people/>": "The root element must be users",
    "<users><person/></users>": "Inside users stand user elements",
    "<users><user/></users>": "A user id has 1 to 255 characters",
    '<users><user id="a b"/></users>': "without blanks",
    '<users><user id="a/b"/></users>': "without blanks and slashes",
    '<!DOCTYPE x [<!ENTITY e "x">]><users><user id="&e;"/></users>': "no XML that is taken",
    DOCUMENT.replace('"NUMERIC"', '"NUMBER"'): "Wrong Attribute type. User 1, age: 'NUMBER'.",
    DOCUMENT.replace('"34"', '"old"'): "User 1, age: the value must be a NUMERIC",
    DOCUMENT.replace('"34"', '"NaN"'): "must be a NUMERIC",
    DOCUMENT.replace('"gender"', '"gen der"'): "a key has 1 to 64 letters",
    DOCUMENT.replace('type="NUMERIC"', 'type="DATE"'): "must be a DATE",
    DOCUMENT.replace('value="male"', f'value="{"x" * 2001}"'): "of at most 2000 characters",
}


@pytest.mark.parametrize("document", BAD)
def test_it_takes_all_or_nothing_and_says_what_is_wrong(
    document: str, client: Client, account: Account
) -> None:
    answer = post(client, account, document)
    assert answer.status_code == 400
    assert BAD[document] in answer.content.decode()
    assert not UserAttributes.objects.exists()


def test_a_bad_user_keeps_the_good_ones_before_it_out(client: Client, account: Account) -> None:
    bad = '<attributes><attribute key="k" value="x" type="DATE"/></attributes>'
    document = DOCUMENT.replace("<attributes/>", bad)
    assert b"User 2, k: the value must be a DATE" in post(client, account, document).content
    assert not UserAttributes.objects.exists()


@pytest.mark.parametrize(
    "kind", ["DATE 2014-08-07", "DATETIME 2014-08-07T14:43:12", "TEXT <b>&amp;\n", "NUMERIC -1.5"]
)
def test_it_takes_every_type(kind: str, client: Client, account: Account) -> None:
    name, _, value = kind.partition(" ")
    written = ET.Element("users")
    inner = ET.SubElement(ET.SubElement(written, "user", id="12"), "attributes")
    ET.SubElement(inner, "attribute", key="k", type=name, value=value)
    assert post(client, account, ET.tostring(written)).status_code == 200
    assert attributes(get(client, account, "crm/user/12"))["12"] == [
        {"key": "k", "type": name, "value": value}
    ]


def test_it_asks_for_the_license_key_and_keeps_customers_apart(client: Client, account: Account) -> None:
    other = new_account("Other")
    post(client, account, DOCUMENT)
    for tail, method in (("crm/user", "post"), ("crm/user/12", "get"), ("user/12", "delete")):
        url = f"/api/{account.customer_id}/{tail}"
        assert getattr(client, method)(url).status_code == 401
        assert getattr(client, method)(url, headers=other.headers).status_code == 401
    assert get(client, other, "crm/user/12").status_code == 404
    assert UserAttributes.objects.count() == 2


@pytest.mark.parametrize(
    ("method", "tail", "status"),
    [
        ("get", "crm/user", 405),
        ("post", "crm/user/12", 405),
        ("get", "user/12", 405),
        ("get", "crm/user/" + ",".join(str(number) for number in range(101)), 400),
        ("get", "c%20m/user/12", 400),
        ("get", "login/user/14", 204),  # the login of somebody called "user"
    ],
)
def test_it_knows_its_addresses(
    method: str, tail: str, status: int, client: Client, account: Account
) -> None:
    answer = getattr(client, method)(f"/api/{account.customer_id}/{tail}", headers=account.headers)
    assert answer.status_code == status


def test_it_refuses_more_than_it_takes(client: Client, account: Account) -> None:
    many = "".join(f'<user id="{number}"/>' for number in range(10_001))
    assert b"At most 10000 users" in post(client, account, f"<users>{many}</users>").content
    huge = b"<users>" + b" " * (5 * 1024 * 1024) + b"</users>"
    assert post(client, account, huge).status_code == 413
    assert not UserAttributes.objects.exists()


def test_a_forgotten_user_is_gone_from_everywhere(
    client: Client, account: Account, settings: Any, tmp_path: Path
) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    post(client, account, DOCUMENT)
    assert client.get(f"/api/{account.customer_id}/click/12/38/1").status_code == 204
    assert Event.objects.filter(customer_id=account.customer_id).exclude(user="").exists()
    url = f"/api/{account.customer_id}/user/12,nobody"
    assert client.delete(url, headers=account.headers).status_code == 202
    assert get(client, account, "crm/user/12").status_code == 404
    erase.sweep()
    who = pseudonym(account.customer_id, "12")
    assert not Event.objects.filter(user=who).exists()
    assert tombstones.Tombstone.objects.filter(user=who).exists()
    assert attributes(get(client, account, "crm/user/%C3%9Cn+1")) == {"Ün+1": []}, "nobody else is"


def test_its_rows_are_a_place_of_a_person(account: Account, settings: Any) -> None:
    people.replace(account.customer_id, source="crm", users={"12": [("age", "NUMERIC", "34")]})
    people.replace(account.customer_id, source="shop", users={"12": [], "13": []})
    spans = [Span(account.customer_id, pseudonym(account.customer_id, "12"))]
    place = people.Told()
    assert [row["source"] for row in place.find(spans)] == ["crm", "shop"]
    settings.PSEUDONYM_KEYS = [*settings.PSEUDONYM_KEYS, "another-key-" * 5]
    assert place.outdated(account.customer_id) == 3
    assert [row.source for row in people.known(account.customer_id, "12")] == ["crm", "shop"]
    people.replace(account.customer_id, source="crm", users={"12": [("age", "NUMERIC", "35")]})
    assert sum(place.rekey(account.customer_id)) == 3
    assert place.outdated(account.customer_id) == 0
    assert [row.attributes for row in people.known(account.customer_id, "12", source="crm")] == [
        [["age", "NUMERIC", "35"]]
    ], "what was told since is newer"
    spans = [Span(account.customer_id, pseudonym(account.customer_id, "12"))]
    assert place.erase(spans, at=0) == 2
    assert place.erase(spans, at=0) == 0


def test_the_command_of_the_connector_reaches_it(
    client: Client, account: Account, settings: Any, tmp_path: Path, live_server: Any
) -> None:
    from config import site_access

    path = tmp_path / "sites.yaml"
    path.write_text(
        "personalization: {system: {shop: {"
        f"authentication: {{customer_id: {account.customer_id}, license_key: {account.license_key}}}, "
        f"api: {{user: {{endpoint: '{live_server.url}'}}}}}}}}}}"
    )
    before, settings.LODESTAR_SITES_FILE = settings.LODESTAR_SITES_FILE, path
    site_access.reload()

    @users.user_attributes(source="crm")
    def readers(_site: SiteAccess) -> Iterable[User]:
        yield User("12", (Attribute("age", 34), Attribute("diet", "vegan")))

    try:
        out = StringIO()
        call_command("update_users", stdout=out)
        call_command("update_users", "--show=12", stdout=out)
    finally:
        users.forget(readers)
        settings.LODESTAR_SITES_FILE = before
        site_access.reload()
    assert "User attributes updated successfully!" in out.getvalue()
    assert '<attribute key="age" value="34" type="NUMERIC"/>' in out.getvalue()
