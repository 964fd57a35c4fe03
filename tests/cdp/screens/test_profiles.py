"""Profiles in the back office ..."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from cdp.audiences import changes
from cdp.audiences.calculate import calculate
from cdp.profiles import accounts, consent, people
from cdp.profiles.identifiers import normal
from cdp.profiles.models import Account, ErasureTicket, Profile, ProfileMerge
from config.jobs import queue as jobs
from tests.cdp.dataflows.conftest import USERS, Feed
from tests.cdp.profiles.conftest import identity
from tests.cdp.screens.conftest import somebody
from tests.cdp.screens.test_audience_builder import IN_OSLO
from tests.cdp.screens.test_data_manager import page, words
from tracking.people import erase

pytestmark = pytest.mark.django_db(databases=["default", settings.EVENTS_DB])
LIST = "/admin/customer-data/profiles/"
FIND = "/admin/customer-data/profile/find/"


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    monkeypatch.setattr(erase, "SETTLE_SECONDS", 0.0)


@pytest.fixture
def ada(feed: Feed) -> Profile:
    """Of a dataflow, in an audience; beside Bob."""
    feed.prepare()
    feed.activate()
    feed.deliver(USERS)
    found = feed.person(14)
    assert found is not None
    calculate(changes.create(feed.account, name="Osloers", definition=IN_OSLO))
    return found


def card(profile: Profile, more: str = "", *keys: Any) -> str:
    return reverse(f"cdp_profile{more}", args=[profile.uuid, *keys])


def named(account: Account, kind: str, value: Any) -> Profile | None:
    return people.find(account, kind, normal(kind, value))


def test_it_lists_people_and_finds_one_by_name(admin: Client, ada: Profile) -> None:
    listed = words(admin.get(LIST))
    for part in ("userid 14", "userid 15", "city: Oslo", "Find by name", "Erasures"):
        assert part in listed
    assert f'href="{card(ada)}"' in listed
    audience = ada.memberships.get().audience_id
    only = words(admin.get(LIST, {"audience": audience}))
    assert "userid 14" in only
    assert "userid 15" not in only
    found = page(admin, FIND, action="find", kind="userid", value=" 14 ")
    assert found.redirect_chain[-1][0] == card(ada)
    for kind, value in (("userid", "1"), ("userid", ""), ("nothing", "14"), ("profile", "14")):
        refused = page(admin, FIND, action="find", kind=kind, value=value)
        assert refused.status_code == 422
    assert page(admin, FIND, action="find", kind="profile", value=str(ada.uuid)).status_code == 200


def test_it_finds_nobody_of_another_account(admin: Client, ada: Profile) -> None:
    other = accounts.create(654321, name="Other")
    given = {"action": "find", "kind": "userid", "value": "14"}
    assert page(admin, FIND, **given, account=other.pk).status_code == 422
    assert page(admin, FIND, **given, account=ada.account_id).status_code == 200
    stranger = identity(other, userid=77).profile
    assert page(admin, card(ada, "_merge"), action="compare", kind="userid", value="77").status_code == 422
    gone = page(admin, card(ada, "_merge"), action="merge", other=str(stranger.uuid))
    assert gone.status_code == 422
    assert Profile.objects.filter(pk=stranger.pk).exists()


def test_it_says_what_to_do_while_nobody_is_known(admin: Client, account: Account) -> None:
    assert "set up a dataflow in the Data Manager" in words(admin.get(LIST))


def test_it_shows_where_everything_comes_from(admin: Client, ada: Profile) -> None:
    consent.record(ada, "marketing", consent.Status.GRANTED, source="tracking")
    shown = words(admin.get(card(ada)))
    for part in ("ada@example.org", "Osloers", "Users", "joined Osloers", "marketing: Granted", "until 20"):
        assert part in shown


def test_it_notes_consent_and_its_withdrawal(admin: Client, ada: Profile) -> None:
    cookie = identity(ada.account, userid=14, coid="c14")
    assert cookie.profile_id == ada.pk
    page(admin, card(ada), action="consent", purpose="marketing", status="granted")
    assert consent.state(ada, "marketing") == "granted"
    assert consent.state(ada, "statistics") == "absent"
    page(admin, card(ada), action="consent", purpose="all", status="revoked")
    assert {consent.state(ada, one) for one in consent.PURPOSES} == {"revoked"}
    assert not ada.identifiers.get(kind="coid").active
    wrong = page(admin, card(ada), action="consent", purpose="fun", status="granted")
    assert wrong.status_code == 422
    assert ada.consents.count() == 4


def test_it_merges_two_people_and_takes_them_apart(admin: Client, ada: Profile) -> None:
    bob = named(ada.account, "userid", 15)
    assert bob is not None
    merge = card(ada, "_merge")
    shown = words(page(admin, merge, action="compare", kind="userid", value="15"))
    assert "Both as one" in shown
    assert named(ada.account, "userid", 15) == bob  # nothing has changed yet
    assert not ProfileMerge.objects.exists()
    assert page(admin, merge, action="compare", kind="userid", value="14").status_code == 422
    page(admin, merge, action="merge", other=str(bob.uuid))
    assert named(ada.account, "userid", 15) == ada
    record = ProfileMerge.objects.get()
    part = card(ada, "_part", record.pk)
    shown = words(admin.get(part))
    assert "Comes back" in shown
    assert "Bergen" in shown
    assert ProfileMerge.objects.get().undone_at is None
    assert part in words(admin.get(card(bob)))  # the old address leads to the one that stays
    page(admin, part, action="part")
    back = named(ada.account, "userid", 15)
    assert back is not None
    assert (back.uuid, back.attributes["city"]) == (bob.uuid, "Bergen")
    assert page(admin, part, action="part").status_code == 422
    assert "taken apart" in words(admin.get(card(ada)))
    assert admin.get(card(back, "_part", record.pk)).status_code == 404


def test_it_hands_out_everything_as_a_file(admin: Client, ada: Profile) -> None:
    answer = admin.get(card(ada, "_export"))
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Type"] == "application/json"
    assert "ada" not in answer["Content-Disposition"]
    found = orjson.loads(answer.content)
    assert found["profile"]["attributes"]["city"] == "Oslo"
    assert [one["is"] for one in found["audiences"]] == ["member", "joined"]
    assert "Bergen" not in answer.content.decode()


def test_it_erases_after_a_word_and_shows_a_receipt(admin: Client, ada: Profile) -> None:
    address = card(ada, "_erase")
    assert page(admin, address, action="erase", word="yes").status_code == 422
    assert not ErasureTicket.objects.exists()
    shown = page(admin, address, action="erase", word=" Erase ")
    ticket = ErasureTicket.objects.get()
    assert shown.redirect_chain[-1][0] == reverse("cdp_erasure", args=[ticket.ticket])
    assert "waits for the worker" in words(shown)
    jobs.run_due()
    receipt = words(admin.get(reverse("cdp_erasure", args=[ticket.ticket])))
    for part in ("finished", "names", "memberships of audiences", "No receiver has the person any more."):
        assert part in receipt
    assert "ada@example.org" not in receipt
    assert str(ticket.ticket) in words(admin.get(reverse("cdp_erasures")))
    assert admin.get(card(ada)).status_code == 404
    assert named(ada.account, "userid", 15) is not None


def test_it_has_no_button_that_may_not_be_pressed(ada: Profile) -> None:
    reader = somebody("view_profile")
    shown = words(reader.get(card(ada)))
    assert "Download everything" in shown
    for part in ("Erase", "Merge with", "Give consent"):
        assert not re.search(rf"<(a|button)[^>]*>{part}", shown)
    assert "Erasures" not in words(reader.get(LIST))
    for more in ("_erase", "_merge"):
        assert reader.get(card(ada, more)).status_code in (302, 403)
    page(reader, card(ada), action="consent", purpose="all", status="revoked")
    assert not ada.consents.exists()
    eraser = somebody("erase_profile")
    assert eraser.get(reverse("cdp_erasures")).status_code == 200
    assert "userid 14" not in words(eraser.get(LIST, follow=True))
    assert eraser.get(card(ada, "_erase")).status_code in (302, 403)
