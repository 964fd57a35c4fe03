"""What people may ask for ..."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from cdp.profiles import accounts, consent, contributions, places, signals, subject
from cdp.profiles.contributions import Said, append
from cdp.profiles.interactions import Did, record
from cdp.profiles.models import (
    Account,
    Consent,
    Contribution,
    ErasureTicket,
    Interaction,
    Profile,
    ProfileIdentifier,
    ProfileMerge,
    Suppression,
)
from cdp.profiles.people import find
from cdp.profiles.places import Whom
from config.jobs import queue
from config.jobs.models import Job
from tests.cdp.profiles.conftest import identity, known, named
from tests.tracking.conftest import NOW
from tracking.identity import pseudonym
from tracking.models import Event, Tombstone
from tracking.people import erase

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
CUSTOMER = "10101"


class Samples:
    """What a part above may hold of a person, by what was sent."""

    name = "samples"

    def __init__(self) -> None:
        self.rows = ["14", "15"]

    def find(self, whom: Whom) -> Iterator[dict[str, Any]]:
        texts = {one.text for one in whom.names}
        yield from ({"userid": one} for one in self.rows if one in texts)

    def erase(self, whom: Whom) -> int:
        before = len(self.rows)
        texts = {one.text for one in whom.names}
        self.rows = [one for one in self.rows if one not in texts]
        return before - len(self.rows)


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> Samples:
    made = Samples()
    monkeypatch.setattr(places, "_places", [])
    places.register(made)
    return made


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    monkeypatch.setattr(erase, "SETTLE_SECONDS", 0.0)


@pytest.fixture
def told() -> Iterator[list[Any]]:
    heard: list[Any] = []

    def hear(sender: Any, *, account: int, identifiers: list[tuple[str, str]], **_: Any) -> None:
        heard.append((account, sorted(kind for kind, _digest in identifiers)))

    signals.erased.connect(hear)
    yield heard
    signals.erased.disconnect(hear)


@pytest.fixture
def person(account: Account) -> Profile:
    """Number 14, of whom much is known, beside number 15."""
    accounts.feed(account, CUSTOMER)
    me, other = identity(account, userid=14, email="me@example.org", coid="c14"), identity(account, userid=15)
    source = contributions.source(account, "dataflow:5:schema:3")
    append(
        source,
        [Said(me, {"city": "Oslo", "note": "=1+1", "wide": "\uff1d1"}), Said(other, {"city": "Bergen"})],
    )
    for who in (me, other):
        record(account, "dataflow:5", [Did(identity=who, event="buy", ts=NOW, order_id="o1", session="s")])
    consent.record(me.profile, "marketing", Consent.Status.GRANTED)
    for user in ("14", "15"):
        Event.objects.create(
            customer_id=CUSTOMER,
            event="click",
            user=pseudonym(CUSTOMER, user),
            ts=NOW,
            received=NOW,
            item_id="1",
        )
    return me.profile


def gdpr(*arguments: str, account: int = 123456) -> str:
    out = StringIO()
    call_command("cdp_gdpr", *arguments, "--account", str(account), stdout=out, stderr=StringIO())
    return out.getvalue()


# --- Erasing --------------------------------------------------------------------------------------


@pytest.mark.case("T13")
def test_erasing_leaves_nothing_of_one_person_and_all_of_the_others(
    account: Account, person: Profile, samples: Samples, told: list[Any]
) -> None:
    ticket, _job = subject.ask(account, named(userid=14))
    assert told == []
    assert known(account, named(userid=14), named(email="me@example.org")) == [None, None]
    queue.run_due()

    ticket.refresh_from_db()
    assert ticket.finished_at is not None
    assert ticket.counts["samples"] == ticket.counts["profiles"] == ticket.counts["interactions"] == 1
    assert ticket.counts["tracked_events"] == 1
    assert find(account, "userid", "14") is None
    assert not Profile.objects.filter(pk=person.pk).exists()
    assert [one.attributes for one in Profile.objects.all()] == [{"city": "Bergen"}]
    assert (Interaction.objects.count(), Contribution.objects.count(), Consent.objects.count()) == (1, 1, 0)
    assert samples.rows == ["15"]
    assert Event.objects.get().user == pseudonym(CUSTOMER, "15")
    assert Tombstone.objects.filter(user=pseudonym(CUSTOMER, "14")).exists()
    tracked = ["tracked:10101", "tracked:10101"]
    assert told == [(account.pk, ["coid", "email", *tracked, "userid"])]
    assert {len(digest) for _kind, digest in ticket.identifiers} == {64}
    for model in (ErasureTicket, Suppression, Job):
        assert "me@example.org" not in repr(list(model._default_manager.values()))
    assert queue.SECRET not in Job.objects.get(kind=subject.JOB).payload


def test_the_erased_stay_away_until_they_are_reinstated(account: Account, person: Profile) -> None:
    subject.ask(account, named(userid=14))
    queue.run_due()
    assert (
        known(account, named(userid=14, email="new@example.org"), named(email="me@example.org")) == [None] * 2
    )
    assert subject.reinstate(account, *named(email="me@example.org")) == 5
    assert None not in known(account, named(userid=14), named(email="me@example.org"))
    assert subject.reinstate(account, *named(userid=14)) == 0


def test_erasing_goes_on_after_a_crash(
    account: Account, person: Profile, samples: Samples, told: list[Any]
) -> None:
    samples.fail = True  # type: ignore[attr-defined]
    real = samples.erase

    def killed(_whom: Whom) -> int:
        raise ConnectionError("gone")

    samples.erase = killed  # type: ignore[method-assign]
    ticket, _job = subject.ask(account, named(userid=14))
    queue.run_due()
    samples.erase = real  # type: ignore[method-assign]
    Job.objects.update(run_after=ticket.asked_at)
    queue.run_due()
    ticket.refresh_from_db()
    assert ticket.counts["samples"] == 1
    assert len(told) == 1


def test_erasing_somebody_without_a_profile_erases_what_others_hold(
    account: Account, samples: Samples
) -> None:
    ticket, _job = subject.ask(account, named(userid=14))
    queue.run_due()
    ticket.refresh_from_db()
    assert samples.rows == ["15"]
    assert known(account, named(userid=14)) == [None]


def test_erasing_forgets_the_addresses_of_those_who_were_merged(account: Account, person: Profile) -> None:
    known(account, named(email="a@example.org"), named(userid=99))
    identity(account, userid=99, email="a@example.org")
    subject.ask(account, named(userid=99))
    queue.run_due()
    assert not ProfileMerge.objects.exists()


# --- Anonymising, correcting ----------------------------------------------------------------------


def test_anonymising_keeps_what_was_done_and_not_by_whom(
    account: Account, person: Profile, samples: Samples, told: list[Any]
) -> None:
    subject.anonymise(account, named(userid=14))
    kept = Profile.objects.get(pk=person.pk)
    assert (kept.uuid != person.uuid, kept.attributes) == (True, {})
    assert [name.kind for name in kept.identifiers.all()] == ["anonymous"]
    did = kept.interactions.get()
    assert (did.event, did.session, did.order_id, did.props) == ("buy", "", "", {})
    assert known(account, named(userid=14)) == [None]
    assert samples.rows == ["15"]
    assert len(told) == 1
    with pytest.raises(subject.UnknownPerson, match="No profile has this identifier"):
        subject.anonymise(account, named(userid=77))


def test_rectifying_shows_the_corrected_value(account: Account, person: Profile) -> None:
    subject.rectify(account, *named(userid=14), {"city": "Tromsø"})
    person.refresh_from_db()
    assert person.attributes["city"] == "Tromsø"
    with pytest.raises(subject.UnknownPerson):
        subject.rectify(account, *named(userid=77), {"city": "Tromsø"})


# --- The commands ---------------------------------------------------------------------------------


def test_export_shows_everything_of_one_person(person: Profile, samples: Samples) -> None:
    found = json.loads(gdpr("export", "--identifier", "userid:14"))
    assert found["format"] == "lodestar-profile-1"
    assert found["profile"]["attributes"]["city"] == "Oslo"
    names = {(one["kind"], one["value"]) for one in found["identifiers"]}
    assert {("userid", "14"), ("email", "me@example.org"), ("coid", "c14")} < names
    assert [one["attribute"] for one in found["sources"]] == ["city", "note", "wide"]
    assert [one["event"] for one in found["interactions"]] == ["buy"]
    assert [one["status"] for one in found["consents"]] == ["granted"]
    assert found["samples"] == [{"userid": "14"}]
    assert [one["event"] for one in found["tracked_events"]] == ["click"]
    assert "Bergen" not in json.dumps(found)


def test_export_writes_a_table(person: Profile, tmp_path: Any) -> None:
    path = tmp_path / "me.csv"
    gdpr("export", "--identifier", "email:Me@example.org", "--format", "csv", "--output", str(path))
    rows = list(csv.reader(io.StringIO(path.read_text())))
    assert rows[0] == ["part", "row", "name", "value"]
    assert ["sources", "1", "value", "Oslo"] in rows
    assert ["sources", "2", "value", "'=1+1"] in rows
    assert ["sources", "3", "value", "'\uff1d1"] in rows
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_command_erases_and_prints_a_receipt(account: Account, person: Profile) -> None:
    said = gdpr("erase", "--identifier", "userid:14", "--yes")
    assert str(ErasureTicket.objects.get().ticket) in said
    assert "interactions: 1" in said
    assert "identifiers may come back" in gdpr("reinstate", "--identifier", "userid:14")
    accounts.feed(account, "10101")
    said = gdpr("anonymise", "--identifier", "userid:15", "--yes")
    assert "anonymised: 1" in said
    assert "`erase_user --customer 10101` erases it" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export", "--identifier", "14"], "must be kind:value, with one of the kinds coid, email, userid"),
        (["export", "--identifier", "phone:14"], "must be kind:value"),
        (["export", "--identifier", "userid: "], "the value must have 1 to 255 printable characters"),
        (["erase", "--identifier", "userid:14"], "Nobody can be asked here; nothing was done"),
        (["anonymise", "--identifier", "userid:77", "--yes"], "No profile has this identifier"),
        (["reinstate", "--identifier", "userid:77"], "this person was not erased"),
        (["export", "--identifier", "userid:14", "--account", "999"], "there is no account 999"),
    ],
)
def test_the_command_says_what_is_wrong(account: Account, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as fault:
        call_command(
            "cdp_gdpr", *(["--account", "123456"] if "--account" not in arguments else []), *arguments
        )
    assert fault.value.returncode == 2
    assert not ErasureTicket.objects.exists()


def test_an_account_is_created_with_a_key_that_is_shown_once() -> None:
    out = StringIO()
    call_command(
        "cdp_account", "create", "--account", "4711", "--name", "Shop", "--customer", CUSTOMER, stdout=out
    )
    account = Account.objects.get(number=4711)
    key = out.getvalue().split()[-1]
    assert accounts.accepts(account, key)
    assert key not in repr(Account.objects.values())
    call_command("cdp_account", "key", "--account", "4711", stdout=(again := StringIO()))
    account.refresh_from_db()
    assert accounts.accepts(account, again.getvalue().split()[-1])
    assert not accounts.accepts(account, key)
    call_command("cdp_account", "list", stdout=out)
    assert "4711: Shop, 0 profiles, fed by 10101, API key" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create"], "--account is missing"),
        (["create", "--account", "12", "--name", "x"], "--account: .*1000"),
        (["create", "--account", "4711"], "--name is missing"),
        (["create", "--account", "123456", "--name", "x"], "there is an account 123456 already"),
        (
            ["create", "--account", "4711", "--name", "x", "--time-zone", "Mars/X"],
            "--time-zone must be one such as",
        ),
        (["create", "--account", "4711", "--name", "x", "--customer", "9"], "there is no customer '9'"),
        (["key", "--account", "4711"], "there is no account 4711"),
    ],
)
def test_wrong_accounts_are_refused(account: Account, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as fault:
        call_command("cdp_account", *arguments)
    assert fault.value.returncode == 2
    assert Account.objects.count() == 1


# --- POST /gdpr/<account>/DeleteUser ---------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_guesses() -> None:
    cache.clear()


def delete(body: Any, *, key: str | None, path: str = "/gdpr/123456/DeleteUser", method: str = "post") -> Any:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {} if key is None else {"x-api-key": key}
    client = Client(enforce_csrf_checks=True)
    return getattr(client, method)(path, raw, content_type="application/json", headers=headers)


@pytest.mark.case("T13")
def test_a_request_is_accepted_with_a_ticket_and_done_by_the_worker(
    account: Account, person: Profile
) -> None:
    key = accounts.new_key(account)
    answer = delete({"UserId": "14"}, key=key)
    assert (answer.status_code, answer["Cache-Control"], dict(answer.cookies)) == (202, "no-store", {})
    ticket = ErasureTicket.objects.get(ticket=UUID(answer.json()["ticket"]))
    queue.run_due()
    ticket.refresh_from_db()
    assert ticket.finished_at is not None
    assert not ProfileIdentifier.objects.filter(kind="email").exists()
    assert delete({"UserId": 15}, key=key, path="/gdpr/123456/DeleteUser/").status_code == 202


@pytest.mark.case("T15")
@pytest.mark.parametrize(
    ("body", "options", "status", "says"),
    [
        ({"UserId": "14"}, {"key": "wrong"}, 401, "x-api-key"),
        ({"UserId": "14"}, {"key": None}, 401, "x-api-key"),
        ({"UserId": "14"}, {"path": "/gdpr/999999/DeleteUser"}, 401, "x-api-key"),
        ({"UserId": "14"}, {"method": "put"}, 405, "Use POST"),
        (b"{", {}, 400, "not valid JSON"),
        (["14"], {}, 400, "must be a JSON object"),
        ({"userId": "14"}, {}, 400, "UserId"),
        ({"UserId": None}, {}, 400, "UserId must be a text or a whole number"),
        ({"UserId": True}, {}, 400, "UserId must be a text or a whole number"),
        ({"UserId": 1.5}, {}, 400, "UserId must be a text or a whole number"),
        ({"UserId": " "}, {}, 400, "UserId must have 1 to 255 printable characters"),
        ({"UserId": "x" * 256}, {}, 400, "UserId must have 1 to 255 printable characters"),
        ({"UserId": "null"}, {}, 400, "UserId must name one person"),
        ({"UserId": "x" * 70_000}, {}, 413, "At most 65536 bytes"),
    ],
)
def test_a_wrong_request_erases_nothing(
    account: Account, person: Profile, body: Any, options: dict[str, Any], status: int, says: str
) -> None:
    answer = delete(body, **{"key": accounts.new_key(account)} | options)
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]
    assert not ErasureTicket.objects.exists()
    assert Profile.objects.count() == 2
    assert (answer.headers.get("Allow") == "POST") is (status == 405)


def test_guessing_a_key_ends_after_ten(account: Account, person: Profile) -> None:
    right = accounts.new_key(account)
    asked = [delete({"UserId": "14"}, key=one).status_code for one in ["wrong"] * 10 + [right]]
    assert asked == [401] * 10 + [429]
    assert not ErasureTicket.objects.exists()
    other = accounts.create(654321, name="Other")
    path = "/gdpr/654321/DeleteUser"
    assert delete({"UserId": "14"}, key=accounts.new_key(other), path=path).status_code == 202


def test_an_account_without_a_key_accepts_none(account: Account) -> None:
    assert delete({"UserId": "14"}, key="").status_code == 401


@pytest.mark.case("T17")
def test_nobody_is_named_in_a_log(
    account: Account, person: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("cdp").addHandler(caplog.handler)
    delete({"UserId": "user-fourteen"}, key=accounts.new_key(account))
    queue.run_due()
    logging.getLogger("cdp").removeHandler(caplog.handler)
    assert "erasure" in caplog.text
    assert "DeleteUser: account 123456 -> 202" in caplog.text
    assert "user-fourteen" not in caplog.text
