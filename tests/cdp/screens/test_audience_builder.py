"""The Audience Builder, activations and the card of a person ..."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cdp.activations.models import Activation
from cdp.audiences import changes
from cdp.audiences.calculate import calculate
from cdp.audiences.models import Audience
from cdp.profiles.models import Account
from config.jobs import queue as jobs
from tests.cdp.conftest import SECRET
from tests.cdp.dataflows.conftest import USERS, Feed
from tests.cdp.screens.conftest import somebody
from tests.cdp.screens.test_data_manager import is_refused, page, words
from tests.cdp.screens.wizard import create

pytestmark = pytest.mark.django_db
IN_OSLO = {
    "type": "group",
    "op": "and",
    "not": False,
    "children": [{"type": "have", "attribute": "city", "op": "eq", "value": "Oslo"}],
}
NONSENSE = IN_OSLO | {"children": []}


@pytest.fixture
def known(feed: Feed) -> Feed:
    """A feed with two people, one of them in Oslo."""
    feed.prepare()
    feed.activate()
    feed.deliver(USERS)
    return feed


@pytest.fixture
def audience(known: Feed) -> Audience:
    return changes.create(known.account, name="Osloers", definition=IN_OSLO)


def address(audience: Audience, more: str = "") -> str:
    return reverse(f"cdp_audience{more}", args=[audience.pk])


def test_it_saves_an_audience_and_calculates_it(admin: Client, known: Feed) -> None:
    answer = page(
        admin,
        reverse("cdp_audience_new"),
        action="save",
        account=known.account.pk,
        name="Osloers",
        tags="city, north",
        definition=json.dumps(IN_OSLO),
    )
    audience = Audience.objects.get()
    assert answer.redirect_chain[-1][0] == address(audience)
    assert (audience.identifier, audience.tags, audience.version) == ("osloers", ["city", "north"], 1)
    jobs.run_due()
    audience.refresh_from_db()
    assert audience.profile_count == 1
    assert "Osloers" in words(page(admin, "/admin/customer-data/audiences/"))


def test_it_says_what_is_wrong_and_keeps_what_was_made(admin: Client, known: Feed) -> None:
    new = reverse("cdp_audience_new")
    given = {"account": known.account.pk, "name": "Nobody", "definition": json.dumps(NONSENSE)}
    answer = page(admin, new, action="save", **given)
    assert answer.status_code == 422
    assert 'value="Nobody"' in words(answer)
    assert not Audience.objects.exists()
    assert page(admin, new, action="save", **given | {"definition": "{"}).status_code == 422


def ask(client: Client, account: Account, definition: Any) -> Any:
    body = {"account": account.pk, "audience": "", "purpose": "", "definition": definition}
    return client.post(reverse("cdp_audience_preview"), json.dumps(body), content_type="application/json")


def test_it_counts_while_a_rule_is_being_made(admin: Client, known: Feed) -> None:
    answer = ask(admin, known.account, IN_OSLO).json()
    assert (answer["count"], answer["total"], answer["percent"]) == (1, 2, 50.0)
    assert answer["per_node"] == {"": 1, "/children/0": 1}
    assert "city" in answer["sentence"]
    [person] = answer["people"]
    assert admin.get(person["url"]).status_code == 200
    assert ask(somebody("view_audience"), known.account, IN_OSLO).json()["people"] == []
    assert answer["schedule"] == "Calculated anew every day at 23:59."
    refused = ask(admin, known.account, NONSENSE)
    assert refused.status_code == 400
    assert refused.json()["problems"][0]["code"] == "empty_group"
    assert (
        admin.post(reverse("cdp_audience_preview"), "[", content_type="application/json").status_code == 400
    )
    assert ask(somebody("view_dataflow"), known.account, IN_OSLO).status_code == 403


def test_it_refreshes_archives_and_restores(admin: Client, audience: Audience) -> None:
    assert "1 of 2 people fit now" in words(page(admin, address(audience), action="refresh"))
    audience.refresh_from_db()
    assert (audience.local_count, audience.profile_count) == (1, None)
    other = json.dumps(IN_OSLO | {"not": True})
    page(admin, address(audience), action="save", name="Others", definition=other)
    history = words(page(admin, address(audience, "_history")))
    assert "Restore version 1" in history
    page(admin, address(audience, "_history"), action="restore", version=1)
    audience.refresh_from_db()
    assert (audience.name, audience.version, audience.definition["not"]) == ("Others", 3, False)
    page(admin, address(audience), action="archive")
    assert admin.get(address(audience)).status_code == 404


def test_it_says_why_somebody_is_in(admin: Client, audience: Audience) -> None:
    calculate(audience)
    answer = page(admin, address(audience, "_why"), action="ask", kind="userid", value="14")
    assert "Fits now." in words(answer)
    answer = page(admin, address(audience, "_why"), action="ask", kind="userid", value="15")
    assert "Does not fit now." in words(answer)
    assert "Bergen" in words(answer)
    assert page(admin, address(audience, "_why"), action="ask", kind="userid", value="99").status_code == 422


def test_it_shows_a_person(admin: Client, known: Feed, audience: Audience) -> None:
    calculate(audience)
    person = known.person(14)
    assert person is not None
    shown = words(admin.get(reverse("cdp_profile", args=[person.uuid])))
    for part in ("14", "ada@example.org", "Oslo", "Osloers"):
        assert part in shown
    unknown = reverse("cdp_profile", args=["00000000-0000-4000-8000-000000000000"])
    assert admin.get(unknown).status_code == 404


def test_it_activates_an_audience_in_three_steps(admin: Client, audience: Audience) -> None:
    answer = create(admin, audience)
    activation = Activation.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("cdp_activation", args=[activation.pk])
    assert SECRET not in words(answer)
    assert SECRET not in activation.secret
    assert activation.config["segment_group_identifier"] == "audiences"
    assert "Site" in words(page(admin, address(audience)))


@pytest.mark.case("V01")
@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"person_identifier": ""}, "Choose the person identifier"),
        ({"name": ""}, "needs a name"),
        ({"audiences": []}, "at least one audience"),
        ({"base_url": "https://example.com/other"}, "must end with /cdp/webhook"),
        ({"base_url": ""}, "Base URL is missing."),
        ({"secret": ""}, "The secret is missing"),
        ({"kind": "pigeon"}, "Choose a kind"),
    ],
)
def test_it_refuses_an_activation_that_cannot_be(
    admin: Client, audience: Audience, changed: dict[str, Any], sentence: str
) -> None:
    answer = create(admin, audience, **changed)
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert not Activation.objects.exists()


def test_it_shows_a_secret_that_it_made_once(admin: Client, audience: Audience) -> None:
    answer = create(admin, audience, kind="webhook", secret="", url="https://example.com/hook")
    assert "whsec_" in words(answer)
    activation = Activation.objects.get()
    assert "whsec_" not in words(admin.get(reverse("cdp_activation", args=[activation.pk])))


def test_it_pauses_resumes_attaches_and_deletes(admin: Client, audience: Audience) -> None:
    create(admin, audience)
    activation = Activation.objects.get()
    one = reverse("cdp_activation", args=[activation.pk])
    for action, state in [("pause", "paused"), ("resume", "active")]:
        page(admin, one, action=action)
        assert Activation.objects.get().state == state
    other = changes.create(audience.account, name="Second", definition=IN_OSLO)
    page(admin, address(other), action="attach", activation=activation.pk)
    assert activation.attachments.filter(removed_at=None).count() == 2
    page(admin, one, action="detach", audience=other.pk)
    assert activation.attachments.filter(removed_at=None).count() == 1
    settings = {
        "name": "Renamed",
        "ibexa-base_url": "http://localhost:1/cdp/webhook",
        "ibexa-client_id": "mine",
    }
    page(admin, one, action="save", **settings, **{"ibexa-segment_group_identifier": "audiences"})
    assert Activation.objects.get().name == "Renamed"
    page(admin, one, action="delete")
    assert not Activation.objects.exists()


def test_it_shows_and_does_only_what_somebody_may(audience: Audience, admin: Client) -> None:
    create(admin, audience)
    one = reverse("cdp_activation", args=[Activation.objects.get().pk])
    looker = somebody("view_audience", "view_activation")
    assert looker.get(address(audience)).status_code == looker.get(one).status_code == 200
    assert is_refused(looker.post(address(audience), {"action": "archive"}))
    assert is_refused(looker.post(address(audience), {"action": "attach"}))
    assert is_refused(looker.post(one, {"action": "delete"}))
    assert is_refused(looker.get(address(audience, "_why")))
    assert is_refused(looker.get(reverse("cdp_activation_new")))
    assert is_refused(somebody("view_dataflow").get(address(audience)))
