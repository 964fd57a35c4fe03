"""Nothing that is kept of a person is forgotten by the file they get, or by their erasure ..."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from cdp.activations import changes as activating
from cdp.activations.models import Activation, LedgerEntry
from cdp.audiences import changes
from cdp.audiences.calculate import calculate
from cdp.profiles import (
    by_hand,
    consent,
    contributions,
    export,
    merging,
    signals,
    subject,
    telling,
    unfinished,
)
from cdp.profiles.contributions import Said, append
from cdp.profiles.interactions import Did, record
from cdp.profiles.models import Account, ErasureTicket, Insight, Profile, ProfileIdentifier, ProfileMerge
from config.jobs import queue
from config.jobs.models import Job
from tests.cdp.profiles.conftest import identity, named
from tracking.people import erase

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
# Table with rows of a person -> part of the file where they stand.
HELD = {
    "profiles.profile": "profile",
    "profiles.profileidentifier": "identifiers",
    "profiles.contribution": "sources",
    "profiles.interaction": "interactions",
    "profiles.consent": "consents",
    "profiles.profilemerge": "merges",
    "audiences.audiencemembership": "audiences",
    "audiences.membershipchange": "audiences",
}
# Table with names of people, or digests of them, that stays -> why.
KEPT = {
    "profiles.suppression": "digests that keep the person away; shown as `erasures`",
    "profiles.erasureticket": "the receipt, digests and counts; shown as `erasures`",
    "activations.ledgerentry": "goes once the receiver has taken the person out; shown as `sent`",
}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    monkeypatch.setattr(erase, "SETTLE_SECONDS", 0.0)


@pytest.fixture
def person(account: Account) -> Profile:
    """Somebody with a row in every table."""
    older, younger = identity(account, userid=14), identity(account, email="me@example.org")
    append(contributions.source(account, "manual"), [Said(older, {"city": "Oslo"})])
    record(account, "dataflow:5", [Did(identity=younger, event="buy", ts=1_000_000)])
    consent.record(older.profile, "marketing", consent.Status.GRANTED)
    joined = identity(account, userid=14, email="me@example.org").profile
    rule = {"type": "have", "attribute": "city", "op": "eq", "value": "Oslo"}
    top = {"type": "group", "op": "and", "not": False, "children": [rule]}
    audience = changes.create(account, name="Osloers", definition=top)
    calculate(audience)
    activation, _secret = activating.create(
        account, name="Files", kind="csv", person_identifier="userid", audiences=[audience]
    )
    # As after a delivery whose receiver has not been told anything else since.
    LedgerEntry.objects.create(
        activation=activation,
        audience=audience,
        digest=older.digest,
        sealed=older.sealed,
        sequence=1,
        delivered_at=timezone.now(),
    )
    Activation.objects.filter(pk=activation.pk).update(state="paused")
    return joined


def related() -> set[str]:
    """Tables whose rows point to people or to their names."""
    found = {
        relation.related_model._meta.label_lower
        for model in (Profile, ProfileIdentifier)
        for relation in model._meta.related_objects
    }
    return found | {Profile._meta.label_lower}


def table(label: str) -> type[Model]:
    return apps.get_model(label)


def test_it_knows_every_table_that_holds_people() -> None:
    assert related() <= set(HELD)
    digests = {
        model._meta.label_lower
        for model in apps.get_models()
        if model._meta.app_label in {"profiles", "activations", "audiences", "dataflows"}
        and {"digest", "identifiers", "winner"} & {one.name for one in model._meta.concrete_fields}
    }
    assert digests <= set(HELD) | set(KEPT)


def test_it_shows_and_erases_every_row(account: Account, person: Profile) -> None:
    found = export.document(subject.of_profile(person))
    for label, part in HELD.items():
        assert table(label)._default_manager.exists(), label
        assert found[part], part
    assert [(one["activation"], one["audience"]) for one in found["sent"]] == [("Files", "Osloers")]
    assert {"member", "joined"} == {one["is"] for one in found["audiences"]}

    ticket, _job = subject.ask_of(person)
    queue.run_due(kinds=[subject.JOB])
    ticket.refresh_from_db()
    assert ticket.finished_at is not None
    assert [label for label in HELD if table(label)._default_manager.exists()] == []
    assert (ticket.counts["audiences"], ticket.counts["sent"]) == (1, 1)
    left = export.document(subject.whom(account, named(userid=14)))
    assert left["erasures"][0]["ticket"] == ticket.ticket
    assert left["profile"] is None
    with pytest.raises(subject.UnknownPerson):
        subject.ask_of(person)


# --- An erasure that comes to a halt ----------------------------------------------------------------


def test_it_tells_everybody_again_until_each_has_heard(account: Account, person: Profile) -> None:
    heard: list[int] = []

    def deaf(**_: Any) -> None:
        heard.append(0)
        if len(heard) < 4:
            raise ConnectionError("gone")

    def hears(**_: Any) -> None:
        heard.append(1)

    signals.erased.connect(deaf)
    signals.erased.connect(hears)
    try:
        ticket, job = subject.ask_of(person)
        queue.run_due(kinds=[subject.JOB])
        ticket.refresh_from_db()
        assert (heard, ticket.finished_at) == ([0, 1], None)
        assert ticket.erased_at is not None
        assert not Profile.objects.filter(pk=person.pk).exists()
        insight = Insight.objects.get(code=telling.NOT_TOLD)
        assert (insight.subject, insight.closed_at) == (str(ticket.ticket), None)

        Job.objects.filter(pk=job.pk).update(state="parked")  # it has failed too often
        ErasureTicket.objects.update(asked_at=ticket.asked_at - timedelta(hours=1))
        assert unfinished.carry_on_all() == 1
        assert heard == [0, 1, 0, 1]
        assert unfinished.carry_on_all() == 1
    finally:
        signals.erased.disconnect(deaf)
        signals.erased.disconnect(hears)
    ticket.refresh_from_db()
    insight.refresh_from_db()
    assert ticket.finished_at is not None
    assert insight.closed_at is not None
    assert unfinished.carry_on_all() == 0


def test_it_begins_anew_with_the_names_of_the_profile(account: Account, person: Profile) -> None:
    ticket, job = subject.ask_of(person)
    Job.objects.filter(pk=job.pk).update(state="parked", payload={"ticket": ticket.pk})
    ErasureTicket.objects.update(asked_at=ticket.asked_at - timedelta(hours=1))
    assert unfinished.carry_on_all() == 1
    queue.run_due(kinds=[subject.JOB])
    ticket.refresh_from_db()
    assert ticket.finished_at is not None
    assert not Profile.objects.exists()


def test_it_asks_for_the_name_where_nobody_knows_it(account: Account) -> None:
    ticket, job = subject.ask(account, named(userid=77))
    Job.objects.filter(pk=job.pk).update(state="parked", payload={"ticket": ticket.pk})
    ErasureTicket.objects.update(asked_at=ticket.asked_at - timedelta(hours=1))
    unfinished.carry_on_all()
    assert Insight.objects.get(code=unfinished.STUCK).closed_at is None
    again, _job = subject.ask(account, named(userid=77))
    queue.run_due(kinds=[subject.JOB])
    unfinished.carry_on_all()
    assert Insight.objects.get(code=unfinished.STUCK).closed_at is not None
    assert not ErasureTicket.objects.filter(finished_at=None).exists()
    assert again.ticket != ticket.ticket


def test_it_parts_who_was_merged_by_hand_only_as_shown(account: Account, person: Profile) -> None:
    other = identity(account, userid=15).profile
    after = by_hand.would_merge(person, other)
    assert len(after.names) == 3
    assert Profile.objects.count() == 2
    one = by_hand.merge(other, person)
    assert one.pk == person.pk
    assert len(by_hand.merges_into(one)) == 2
    record = ProfileMerge.objects.latest("pk")
    back, [stays] = by_hand.would_part(record)
    assert (len(back.names), len(stays.names), Profile.objects.count()) == (1, 2, 1)
    assert merging.unmerge(record).uuid == other.uuid
    with pytest.raises(merging.CannotPart, match="was undone"):
        by_hand.would_part(record)
    with pytest.raises(by_hand.CannotMerge, match="not two people"):
        by_hand.merge(one, one)
