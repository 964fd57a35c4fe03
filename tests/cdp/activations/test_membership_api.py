"""The membership API, as the site's anonymous visitors and other callers use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp.activations import changes
from cdp.activations.models import Activation
from cdp.audiences.models import Audience
from cdp.profiles import identifiers
from cdp.profiles.models import Account, Consent, Feed, ProfileIdentifier
from cdp.profiles.people import Named, identify
from tests.cdp.activations import made
from tracking.identity import pseudonyms

pytestmark = pytest.mark.django_db
COOKIE = "0b2f4f6e-0000-4000-8000-000000000001"


class Caller:
    def __init__(self, activation: Activation, key: str) -> None:
        self.headers = {"x-activation-id": activation.public_id, "x-api-key": key}

    def get(self, path: str, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        return Client().get(f"/api/v3/{path}", query, headers=headers or self.headers)

    def of(self, value: str, *, kind: str = "coid") -> list[str]:
        answer = self.get(f"memberships/{kind}", identifierValue=value)
        assert answer.status_code == 200, answer.content
        return [one["name"] for one in answer.json()["memberships"]]


def serving(*audiences: Audience, **more: Any) -> tuple[Activation, str]:
    given = {"name": "API", "person_identifier": "coid"} | more
    return changes.create(audiences[0].account, kind="cdp_api", audiences=audiences, **given)


@pytest.fixture
def cats(account: Account) -> Audience:
    visitor = made.person(account, coid=COOKIE, userid=14)
    return made.audience(account, "cat_owners", visitor, made.person(account, coid="other"))


@pytest.fixture
def caller(cats: Audience) -> Caller:
    return Caller(*serving(cats))


def test_it_names_the_audiences_of_a_visitor(caller: Caller, cats: Audience, account: Account) -> None:
    visitor = ProfileIdentifier.objects.get(kind="userid").profile
    dogs = made.audience(account, "dogs", visitor)
    hidden = made.audience(account, "hidden", visitor)
    changes.attach(Activation.objects.get(), dogs)
    answer = caller.get("memberships/coid", identifierValue=COOKIE)
    assert answer.json() == {
        "memberships": [
            {"id": f"aud_{cats.pk}", "name": "Cat owners"},
            {"id": f"aud_{dogs.pk}", "name": "Dogs"},
        ]
    }
    assert hidden.memberships.exists()
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert caller.of("14", kind="userid") == ["Cat owners", "Dogs"]


@pytest.mark.parametrize("value", ["nobody", "", " ", "x" * 300, "a\x00b", "other "])
def test_it_answers_an_empty_list_for_nobody(caller: Caller, value: str) -> None:
    if value == "other ":
        assert caller.of(value) == ["Cat owners"]  # blanks around go, as everywhere
    elif "\x00" in value:
        assert caller.get("memberships/coid", identifierValue=value).status_code in {200, 400}
    else:
        assert caller.of(value) == []


def test_it_finds_a_cookie_by_what_was_tracked_of_it(caller: Caller, account: Account, sites: Path) -> None:
    """501 feeds the account by the sites file, 777 by a row, 888 not at all."""
    dogs = made.audience(account, "dogs")
    changes.attach(Activation.objects.get(), dogs)
    Feed.objects.create(account=account, customer_id="777")
    people = []
    for number, customer in enumerate(("501", "777", "888")):
        profile = made.person(account)
        ProfileIdentifier.objects.create(
            account=account,
            profile=profile,
            kind=identifiers.tracked(customer),
            digest=pseudonyms(customer, f"cookie-{number}")[0],
        )
        people.append(profile)
    made.calculate(dogs, people)
    assert [caller.of(f"cookie-{number}") for number in range(3)] == [["Dogs"], ["Dogs"], []]


def test_it_hides_a_link_that_was_taken_back(caller: Caller) -> None:
    ProfileIdentifier.objects.filter(kind="coid").update(active=False)
    assert caller.of(COOKIE) == []


@pytest.mark.django_db(databases=["default", settings.EVENTS_DB])
@pytest.mark.parametrize("is_joined", [True, False])
def test_it_names_nobody_for_a_device_that_withdrew(
    caller: Caller, cats: Audience, account: Account, sites: Path, *, is_joined: bool
) -> None:
    """By whichever name events come: a device may be known by what is tracked of it alone."""
    profile = made.person(account, **({"coid": "mine"} if is_joined else {}))
    tracked = Named(identifiers.tracked("501"), pseudonyms("501", "mine")[0])
    ProfileIdentifier.objects.create(account=account, profile=profile, kind=tracked.kind, digest=tracked.text)
    made.calculate(cats, [profile])
    assert caller.of("mine") == ["Cat owners"]

    def say(status: str) -> list[bool]:
        """Whether the collector's events, and the script's, still find somebody."""
        body = {"status": status, "coid": "mine"}
        answer = Client().post(f"/t/{account.number}/consent", body, content_type="application/json")
        assert answer.status_code == 204
        found = identify(account, [[tracked], [Named("coid", "mine")]], reason="feed")
        return [one is not None for one in found]

    assert say("revoked") == [False, False]
    assert caller.of("mine") == []
    assert profile.consents.filter(status="revoked").count() == 3
    assert say("granted") == [True, True]
    assert caller.of("mine") == ["Cat owners"]
    assert not account.suppressions.exists()


def test_it_names_only_people_who_granted_its_purpose(cats: Audience, caller: Caller) -> None:
    Activation.objects.update(purpose="marketing")
    assert caller.of(COOKIE) == []
    visitor = ProfileIdentifier.objects.get(kind="userid").profile
    said = {"purpose": "marketing", "given_at": timezone.now()}
    Consent.objects.create(profile=visitor, status="granted", **said)
    assert caller.of(COOKIE) == ["Cat owners"]
    assert len(caller.get(f"membership/aud_{cats.pk}").json()["profiles"]) == 1
    assert len(caller.get("membership/changes/coid").json()["changes"]) == 1
    Consent.objects.create(profile=visitor, status="revoked", **said | {"given_at": timezone.now()})
    assert caller.of(COOKIE) == []


def test_it_tells_of_those_who_left_because_they_revoked(
    caller: Caller, cats: Audience, account: Account
) -> None:
    Activation.objects.update(purpose="marketing")
    visitor = ProfileIdentifier.objects.get(kind="userid").profile
    Consent.objects.create(profile=visitor, purpose="marketing", status="granted", given_at=timezone.now())
    first = caller.get("membership/changes/coid").json()
    Consent.objects.create(profile=visitor, purpose="marketing", status="revoked", given_at=timezone.now())
    made.calculate(cats, [made.person(account, coid="silent")])
    second = caller.get("membership/changes/coid", since=first["next"]).json()["changes"]
    assert (COOKIE, "left") in [(one["identifierValue"], one["action"]) for one in second]
    assert "joined" not in {one["action"] for one in second}


def test_it_asks_one_question_for_the_members(
    caller: Caller, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Beside it: the activation, the kinds of names and the feeds of the account."""
    with django_assert_num_queries(4):
        caller.of(COOKIE)


def test_it_lists_identifiers_and_audiences(caller: Caller, cats: Audience, account: Account) -> None:
    made.audience(account, "not_attached")
    assert caller.get("identifiers").json() == {
        "identifiers": [{"name": "coid"}, {"name": "email"}, {"name": "userid"}]
    }
    found = caller.get("audiences").json()["audiences"]
    assert [(one["id"], one["profileCount"], one["sequence"]) for one in found] == [(f"aud_{cats.pk}", 2, 1)]


def test_it_pages_through_the_members(caller: Caller, cats: Audience, account: Account) -> None:
    made.calculate(cats, [made.person(account, coid=f"c{number}") for number in range(5)])
    after, values = "0", []
    for _ in range(9):
        page = caller.get(f"membership/aud_{cats.pk}", after=after, limit=2).json()
        assert page["sequence"] == 2
        values += [one["identifiers"] for one in page["profiles"]]
        after = page["next"]
        if after is None:
            break
    assert values == [[f"c{number}"] for number in range(5)]


def test_it_tells_who_joined_and_left_since(caller: Caller, cats: Audience, account: Account) -> None:
    dogs = made.audience(account, "dogs", made.person(account, coid="d"))
    changes.attach(Activation.objects.get(), dogs)
    first = caller.get("membership/changes/coid").json()
    assert [(one["identifierValue"], one["action"]) for one in first["changes"]] == [
        (COOKIE, "joined"),
        ("other", "joined"),
        ("d", "joined"),
    ]
    assert caller.get("membership/changes/coid", since=first["next"]).json()["changes"] == []
    other = ProfileIdentifier.objects.get(kind="coid", sealed__gt="", profile__memberships__audience=dogs)
    made.calculate(cats, [other.profile, made.person(account, userid=3)])
    second = caller.get("membership/changes/coid", since=first["next"]).json()
    assert {(one["identifierValue"], one["action"]) for one in second["changes"]} == {
        (COOKIE, "left"),
        ("other", "left"),
        ("d", "joined"),
    }
    assert {one["audienceId"] for one in second["changes"]} == {f"aud_{cats.pk}"}


def test_it_gives_every_change_once_however_small_the_pages(
    caller: Caller, cats: Audience, account: Account
) -> None:
    people = [made.person(account, coid=f"c{number}") for number in range(7)]
    changes.attach(Activation.objects.get(), made.audience(account, "dogs", *people))
    made.calculate(cats, people)
    since, found = "", []
    for _ in range(40):
        page = caller.get("membership/changes/coid", since=since, limit=2).json()
        found += [(one["audienceId"], one["identifierValue"], one["action"]) for one in page["changes"]]
        since = page["next"]
        if not page["hasMore"]:
            break
    assert len(found) == len(set(found)) == 2 + 7 + 2 + 7


@pytest.mark.parametrize(
    "headers",
    [
        {"x-activation-id": ""},
        {"x-activation-id": "act_999999"},
        {"x-activation-id": "act_"},
        {"x-activation-id": "١"},
        {"x-activation-id": "act_" + "9" * 40},
        {"x-activation-id": "act_" + "0" * 5_000},
        {"x-activation-id": "0" * 5_000, "x-api-key": "wrong"},
        {"x-api-key": ""},
        {"x-api-key": "wrong"},
    ],
)
def test_it_lets_nobody_in_without_the_key(caller: Caller, headers: dict[str, str]) -> None:
    for path in (
        "memberships/coid",
        "identifiers",
        "audiences",
        "membership/aud_1",
        "membership/changes/coid",
    ):
        answer = caller.get(path, headers=caller.headers | headers, identifierValue="x")
        assert answer.status_code == 401, path
        assert answer.json()["error"]["code"] == "unauthorized"


def test_it_lets_nobody_in_with_the_key_of_another_kind_or_a_paused_one(
    caller: Caller, cats: Audience
) -> None:
    other = made.site(cats, secret="k" * 40)
    headers = {"x-activation-id": other.public_id, "x-api-key": "k" * 40}
    assert caller.get("identifiers", headers=headers).status_code == 401
    changes.pause(Activation.objects.get(kind="cdp_api"))
    assert caller.get("identifiers").status_code == 401


def test_it_takes_the_key_before_for_a_day(caller: Caller, cats: Audience) -> None:
    activation = Activation.objects.get()
    key = changes.rotate(activation)
    assert caller.get("identifiers").status_code == 200
    assert Caller(activation, key).get("identifiers").status_code == 200
    Activation.objects.update(previous_until=timezone.now())
    assert caller.get("identifiers").status_code == 401


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        ("memberships/shoe_size", {"identifierValue": "1"}, 404, "'shoe_size'"),
        ("memberships/COID", {"identifierValue": "1"}, 404, "'COID'"),
        ("memberships/coid", {}, 400, "identifierValue"),
        ("membership/changes/shoe_size", {}, 404, "'shoe_size'"),
        ("membership/aud_999999", {}, 404, "'aud_999999'"),
        ("membership/dogs", {}, 404, "'dogs'"),
        ("membership/changes/coid", {"since": "yesterday"}, 400, "since"),
        ("membership/changes/coid", {"since": "1.2"}, 400, "since"),
        ("membership/changes/coid", {"limit": "0"}, 400, "limit"),
        ("membership/changes/coid", {"limit": "1001"}, 400, "1000"),
        ("membership/changes/coid", {"limit": "-1"}, 400, "'-1'"),
        ("membership/changes/coid", {"limit": "0" * 5_000}, 400, "limit"),
        ("membership/changes/coid", {"since": f"{'0' * 5_000}.1.1"}, 400, "since"),
        ("membership/aud_" + "0" * 5_000, {}, 404, "'aud_000"),
    ],
)
def test_it_says_what_is_wrong(
    caller: Caller, path: str, query: dict[str, str], status: int, words: str
) -> None:
    answer = caller.get(path, **query)
    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


def test_it_hides_audiences_of_others(caller: Caller, account: Account, cats: Audience) -> None:
    hidden = made.audience(account, "hidden")
    elsewhere = made.audience(made.account(4711), "elsewhere")
    for one in (hidden, elsewhere):
        assert caller.get(f"membership/aud_{one.pk}").status_code == 404
    for after in ("x", "0" * 5_000, "9" * 19):
        assert caller.get(f"membership/aud_{cats.pk}", after=after).status_code == 400


def test_it_only_reads(caller: Caller) -> None:
    answer = Client().post("/api/v3/identifiers", headers=caller.headers)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_it_logs_nobody(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="cdp")
    caller.of(COOKIE)
    assert "membership API: memberships for act_" in caplog.text
    assert COOKIE not in caplog.text
    assert caller.headers["x-api-key"] not in caplog.text
