"""The endpoints that a builder of audiences asks (reference `cdp.md` 3.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from cdp.audiences import preview as previews
from cdp.audiences.api import MOST_BYTES
from cdp.profiles import accounts
from cdp.profiles.models import Profile, ProfileMerge
from tests.cdp.audiences.conftest import Make
from tests.cdp.audiences.documents import did, group, have, member
from tests.cdp.audiences.population import Population

pytestmark = pytest.mark.django_db
PREVIEW = "/cdp/api/audiences/preview"
NOW = "2025-05-01T12:00:00Z"
BUYERS = group(did("buy"))


@pytest.fixture
def client(population: Population) -> Client:
    user = User.objects.create_user("editor")
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_audience", "view_profile"]))
    found = Client()
    found.force_login(user)
    return found


def post(client: Client, document: Any, **more: Any) -> Any:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return client.post(PREVIEW, body, content_type="application/json", **more)


def test_it_answers_the_size_of_a_rule_and_of_its_nodes(client: Client) -> None:
    answer = post(client, {"definition": group(did("visit"), have("country", "gt", 5)), "as_of": NOW})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    body = answer.json()
    assert body.pop("took_ms") >= 0
    assert body == {
        "count": 0,
        "total": 5,
        "percent": 0.0,
        "as_of": NOW,
        "per_node": {"": 0, "/children/0": 3, "/children/1": 0},
        "warnings": [
            {
                "code": "type_mismatch",
                "pointer": "/children/1/op",
                "message": "country is of the type string; gt compares nothing of it.",
            }
        ],
    }


def test_it_says_all_that_is_wrong_with_the_rule(client: Client, make: Make) -> None:
    answer = post(client, {"definition": group(did("fly"), member("nobody"))})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "bad_definition"
    assert [(one["code"], one["pointer"]) for one in error["problems"]] == [
        ("unknown_event", "/children/0/event"),
        ("unknown_audience", "/children/1/audience"),
    ]
    make("A", BUYERS)
    make("B", group(member("a")))
    answer = post(client, {"definition": group(member("b")), "audience": "a"})
    assert answer.json()["error"]["problems"][0]["code"] == "cycle"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b" ", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b"[]", 400, "bad_json"),
        (b"\xff", 400, "bad_json"),
        (b"[" * 5_000, 400, "bad_json"),
        ({}, 400, "bad_value"),
        ({"definition": None}, 400, "bad_definition"),
        ({"definition": BUYERS, "as_of": "now"}, 400, "bad_value"),
        ({"definition": BUYERS, "as_of": 5}, 400, "bad_value"),
        ({"definition": BUYERS, "account": 7}, 400, "bad_value"),
        ({"definition": BUYERS, "account": "123456"}, 400, "bad_value"),
        ({"definition": BUYERS, "account": True}, 400, "bad_value"),
        ({"definition": BUYERS, "account": 10**30}, 400, "bad_json"),
        ({"definition": BUYERS, "purpose": "X"}, 400, "bad_value"),
        ({"definition": BUYERS, "purpose": 1}, 400, "bad_value"),
        ({"definition": BUYERS, "audience": []}, 400, "bad_value"),
        (b" " * (MOST_BYTES + 1), 413, "too_large"),
    ],
)
def test_it_refuses_wrong_input_in_words(client: Client, body: Any, status: int, code: str) -> None:
    if isinstance(body, dict) and body.get("account") == 10**30:
        body = b'{"definition": {}, "account": ' + str(10**30).encode() + b"x}"
    answer = post(client, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


def test_it_asks_which_account_where_there_are_several(client: Client) -> None:
    accounts.create(2000, name="Other")
    answer = post(client, {"definition": BUYERS})
    assert answer.json()["error"]["problems"][0]["pointer"] == "/account"
    assert post(client, {"definition": BUYERS, "account": 2000, "as_of": NOW}).json()["total"] == 0
    assert post(client, {"definition": BUYERS, "account": 123456, "as_of": NOW}).json()["count"] == 2


def test_it_is_for_users_who_may_see_audiences(client: Client) -> None:
    assert post(Client(), {"definition": BUYERS}).status_code == 401
    other = Client()
    other.force_login(User.objects.create_user("other"))
    assert post(other, {"definition": BUYERS}).json()["error"]["code"] == "forbidden"
    assert client.get(PREVIEW).status_code == 405
    assert client.post(PREVIEW, {"definition": "x"}).status_code == 415


def test_it_refuses_other_sites_forms(population: Population) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("admin"))
    assert post(strict, {"definition": BUYERS}).status_code == 403


def explained(client: Client, identifier: str, **query: Any) -> Any:
    return client.get(f"/cdp/api/audiences/{identifier}/explain", query)


def test_it_explains_a_profile(client: Client, make: Make, population: Population) -> None:
    make("Buyers", BUYERS)
    profile = population.people["P5"]
    answer = explained(client, "buyers", profile=profile.uuid, as_of=NOW)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["is"], body["is_member"], body["profile"]) == (True, False, str(profile.uuid))
    assert body["conditions"]["children"][0] == {
        "pointer": "/children/0",
        "type": "did",
        "text": "did buy",
        "is": True,
        "value": {"count": 2, "last": "2025-02-28T09:00:00Z"},
        "children": [],
    }


def test_it_explains_only_to_users_who_may_see_profiles(
    client: Client, make: Make, population: Population
) -> None:
    make("Buyers", BUYERS)
    User.objects.get().user_permissions.remove(Permission.objects.get(codename="view_profile"))
    answer = explained(client, "buyers", profile=population.people["P5"].uuid)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "This user lacks the permission profiles.view_profile."
    assert post(client, {"definition": BUYERS}).status_code == 200


def test_it_finds_a_profile_under_the_address_it_had_before_a_merge(
    client: Client, make: Make, population: Population
) -> None:
    make("Buyers", BUYERS)
    old, winner = uuid4(), population.people["P1"].uuid
    ProfileMerge.objects.create(account=population.account, winner=winner, loser=old, identifiers=[])
    assert explained(client, "buyers", profile=old).json()["profile"] == str(winner)


def test_it_knows_nobody_of_another_account(client: Client, make: Make) -> None:
    make("Buyers", BUYERS)
    other = Population(2000)
    assert explained(client, "buyers", profile=other.person("theirs").uuid).status_code == 404


@pytest.mark.parametrize(
    ("identifier", "query", "status", "code"),
    [
        ("buyers", {}, 400, "bad_value"),
        ("buyers", {"profile": "P1"}, 400, "bad_value"),
        ("buyers", {"profile": uuid4()}, 404, "unknown_profile"),
        ("nobody", {"profile": uuid4()}, 404, "unknown_audience"),
        ("buyers", {"profile": uuid4(), "account": "x"}, 400, "bad_value"),
        ("buyers", {"profile": uuid4(), "account": "7"}, 400, "bad_value"),
        ("buyers", {"profile": uuid4(), "account": "0" * 5_000}, 400, "bad_value"),
        ("buyers", {"profile": uuid4(), "account": "²"}, 400, "bad_value"),
    ],
)
def test_it_refuses_a_wrong_question_in_words(
    client: Client, make: Make, identifier: str, query: dict[str, Any], status: int, code: str
) -> None:
    make("Buyers", BUYERS)
    answer = explained(client, identifier, **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_preview_names_some_of_those_who_fit(population: Population) -> None:
    for document, fitting in ((BUYERS, 2), (group(did("visit")), 3)):
        found = previews.preview(population.account, document, as_of=datetime.fromisoformat(NOW))
        assert found.count == fitting
        assert len(set(found.sample)) == fitting
        members = Profile.objects.filter(pk__in=found.sample, account=population.account)
        assert members.count() == fitting
    nobody = previews.preview(
        population.account, group(have("country", "eq", "XX")), as_of=datetime.fromisoformat(NOW)
    )
    assert nobody.sample == ()
