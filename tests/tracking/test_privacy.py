"""The screen on which one person is looked up, taken as a file and erased."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from wagtail.models import ModelLogEntry

from config.customers.directory import create_customer
from config.jobs import queue
from config.jobs.models import Job
from tracking.identity import pseudonym
from tracking.models import Erasure, Event, IdentityEdge
from tracking.people import erase

pytestmark = pytest.mark.django_db(databases="__all__")
PAGE = "/admin/tracking/privacy/"
NOW = 1_790_000_000_000_000
ID = "mabel-7731"
ME = pseudonym("501", ID)


@pytest.fixture(autouse=True)
def _events(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    monkeypatch.setattr(erase, "SETTLE_SECONDS", 0.0)
    for customer_id in ("501", "502"):
        create_customer(name="Shop", kind="commerce", customer_id=customer_id)
    same = {"customer_id": "501", "item_type": 38, "item_id": "1", "ts": NOW, "received": NOW}
    Event.objects.bulk_create(
        [
            Event(event="click", user=ME, segments="7,12", **same),
            Event(event="click", user=ME, **same | {"ts": NOW - 86_400_000_000}),
            Event(event="buy", user=ME, **same),
            Event(event="rate", user="device", **same | {"ts": NOW - 5}),
            Event(event="click", user="somebody", **same),
        ]
    )
    IdentityEdge.objects.create(customer_id="501", source="device", target=ME, ts=NOW)


@pytest.fixture
def boss() -> Client:
    return logged_in(User.objects.create_superuser("boss"))


def logged_in(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def look_up(client: Client, *, user: str = ID, customer_id: str = "501") -> tuple[str, str]:
    """The text of the page, and whom its forms are about."""
    answer = client.post(PAGE, {"action": "find", "customer_id": customer_id, "user": user})
    assert "no-store" in answer["Cache-Control"]
    text = answer.content.decode()
    found = re.search(r'name="person" value="([^"]+)"', text)
    return re.sub(r"\s+", " ", text), found[1] if found else ""


def logged() -> list[tuple[str, str]]:
    return [(one.action, one.label) for one in ModelLogEntry.objects.order_by("pk") if one.user_id]


def test_it_says_what_is_stored_and_never_the_id(boss: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    page, person = look_up(boss)

    assert person
    assert '<th scope="row">click</th><td>2</td><td>2026-09-20' in page
    assert '<th scope="row">buy</th><td>1</td>' in page
    assert "What 1 device did before it logged in as this person" in page
    assert '<th scope="row">rate</th><td>1</td>' in page
    assert "7, 12" in page
    assert "came without a refusal" in page
    assert ID not in page + caplog.text
    assert ME not in page
    assert logged() == [("tracking.look_up_person", f"{ME[:8]} of customer 501")]
    assert boss.get("/admin/reports/site-history/").status_code == 200
    assert "Nothing is stored of this person" in look_up(boss, user="nobody")[0]


def test_it_hands_out_what_the_command_writes(boss: Client) -> None:
    answer = boss.post(PAGE, {"action": "take", "person": look_up(boss)[1]})

    document = json.loads(answer.getvalue())
    assert document["format"] == "lodestar-person-1"
    assert [one["event"] for one in document["events"]] == ["click", "click", "buy", "rate"]
    assert f'filename="person-501-{ME[:8]}.json"' in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert logged()[-1] == ("tracking.export_person", f"{ME[:8]} of customer 501")


@pytest.mark.django_db(transaction=True, databases="__all__")  # SQLite's log is emptied between transactions
@pytest.mark.parametrize(("linked", "left"), [("", ["rate", "click"]), ("1", ["click"])])
def test_it_erases_after_a_word_and_leaves_a_receipt(boss: Client, linked: str, left: list[str]) -> None:
    asked = {"action": "erase", "person": look_up(boss)[1], "linked": linked}
    assert boss.post(PAGE, asked | {"word": "no"}).status_code == 422
    assert not Erasure.objects.exists()

    answer = boss.post(PAGE, asked | {"word": "Erase"})
    erasure = Erasure.objects.get()
    assert answer["Location"] == f"{PAGE}{erasure.receipt}/"
    page = boss.get(answer["Location"]).content.decode()
    assert page.count("<em>under way</em>") > 3  # each place
    assert logged()[-1] == ("tracking.erase_person", f"{ME[:8]} of customer 501, {erasure.receipt}")

    assert queue.run_due()
    assert list(Event.objects.order_by("pk").values_list("event", flat=True)) == left
    page = re.sub(r"\s+", " ", boss.get(answer["Location"]).content.decode())
    assert f'<th scope="row">events</th><td>{5 - len(left)}</td>' in page
    assert "under way" not in page
    assert erasure.receipt in boss.get(PAGE).content.decode()
    assert Job.objects.get(kind=erase.JOB).state == "done"
    assert "Erased before" in look_up(boss)[0]


def somebody(*codenames: str) -> Client:
    group = Group.objects.create(name="Some")
    group.permissions.add(*Permission.objects.filter(codename__in=("access_admin", *codenames)))
    user = User.objects.create_user("some")
    user.groups.add(group)
    return logged_in(user)


def test_it_asks_for_its_permissions(boss: Client) -> None:
    person = look_up(boss)[1]
    looks = somebody("view_person")
    page, own = look_up(looks)
    assert own
    assert "Erase for good" not in page
    assert looks.post(PAGE, {"action": "erase", "person": own, "word": "erase"}).status_code == 403
    assert looks.post(PAGE, {"action": "take", "person": person}).status_code == 422  # of somebody else
    assert looks.get(f"{PAGE}E-1/").status_code == 403
    assert boss.get(f"{PAGE}E-1/").status_code == 404
    Group.objects.get(name="Some").permissions.clear()
    assert not Erasure.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "find", "customer_id": "501", "user": ""},
        {"action": "find", "customer_id": "999", "user": ID},
        {"action": "find", "customer_id": "501", "user": "not_defined"},
        {"action": "find", "customer_id": "501", "user": "a" * 2_000},
        {"action": "take", "person": "made:up"},
        {"action": "erase", "person": ""},
        {"action": "anything"},
    ],
)
def test_it_refuses_what_cannot_be(boss: Client, sent: dict[str, str]) -> None:
    answer = boss.post(PAGE, sent)
    assert answer.status_code == 422
    assert ID not in answer.content.decode()
    assert logged() == []


def test_it_does_not_carry_on_an_hour_later(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    person = look_up(boss)[1]
    monkeypatch.setattr("tracking.screens.privacy.SIGNED_SECONDS", -1)
    answer = boss.post(PAGE, {"action": "take", "person": person})
    assert answer.status_code == 422
    assert "older than an hour" in answer.content.decode()
