"""Deliveries against receivers that work, fail, and die."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cdp.activations import changes, deliver, ledger, news
from cdp.activations.faults import ActivationFault
from cdp.activations.models import Activation, ActivationAudience, DeliveryRun, Parcel
from cdp.activations.targets import calls
from cdp.audiences.models import Audience
from cdp.profiles.models import Account, Consent, ProfileIdentifier
from cdp.profiles.signals import erased
from config.http import SafeClient, breaker
from config.jobs import queue
from config.jobs.models import Job
from tests.cdp.activations import made
from tests.cdp.activations.conftest import time_has_come
from tests.cdp.activations.receivers import Receiver

pytestmark = pytest.mark.django_db


def due(activation: Activation) -> DeliveryRun:
    """Deliver now, everything, and the run."""
    changes.mark(activation)
    run = deliver.deliver(activation.pk)
    assert run is not None
    return run


def state(activation: Activation) -> tuple[str, str]:
    row = Activation.objects.get(pk=activation.pk)
    return row.state, row.reason


@pytest.fixture
def cats(account: Account) -> Audience:
    people = [made.person(account, userid=number) for number in (1, 2)]
    return made.audience(account, "cat_owners", *people)


@pytest.fixture
def activation(cats: Audience, far: Receiver) -> Activation:
    return made.site(cats, url=far.url)


@pytest.mark.case("V19")
def test_it_adds_who_joined_and_removes_who_left(
    account: Account, cats: Audience, activation: Activation, far: Receiver
) -> None:
    first = due(activation)
    assert (first.state, first.added, first.removed, first.requests) == ("done", 2, 0, 1)
    assert far.people() == {"1", "2"}
    members = [one.profile for one in cats.memberships.select_related("profile").order_by("pk")]
    made.calculate(cats, [members[1], made.person(account, userid=3)])
    queue.run_due()
    assert far.actions()[2:] == [("remove", "1"), ("add", "3")]
    assert made.ledger(activation) == {("cat_owners", "2"), ("cat_owners", "3")}


def test_it_sends_what_the_contract_says(activation: Activation, far: Receiver, cats: Audience) -> None:
    due(activation)
    document = far.bodies[0]
    assert document["version"] == 1
    assert document["activation"] == {"id": f"act_{activation.pk}", "name": "Site"}
    assert (document["segment_group_identifier"], document["person_identifier"]) == ("audiences", "userid")
    assert document["sequence"] == Activation.objects.get().sequence > 10**12
    assert document["audiences"][0]["identifier"] == "cat_owners"
    assert document["audiences"][0]["profile_count"] == 2
    assert document["actions"][0] == {"op": "add", "audience": f"aud_{cats.pk}", "person": "1"}


@pytest.mark.case("V21")
def test_it_sends_a_person_once_by_each_name(account: Account, far: Receiver) -> None:
    both = made.person(account, userid=[14, 15])
    nameless = made.person(account, email="a@example.org")
    activation = made.site(made.audience(account, "a", both, nameless), url=far.url)
    run = due(activation)
    assert (run.added, run.unidentified) == (2, 1)
    assert far.people() == {"14", "15"}
    assert activation.attachments.get().unidentified == 1


def test_it_sends_nobody_twice_and_nothing_when_nothing_changed(
    activation: Activation, far: Receiver
) -> None:
    due(activation)
    run = due(activation)
    assert (run.state, run.requests, len(far.bodies)) == ("done", 0, 1)
    assert deliver.deliver(activation.pk) is None
    assert DeliveryRun.objects.count() == 2


def test_it_waits_for_the_next_calculation_of_a_new_audience(
    account: Account, activation: Activation, far: Receiver
) -> None:
    assert deliver.deliver(activation.pk) is None
    people = [made.person(account, userid=7)]
    dogs = made.audience(account, "dogs", *people)
    changes.attach(activation, dogs)
    assert deliver.deliver(activation.pk) is None
    made.calculate(dogs, people)
    assert queue.run_due() == 1
    assert far.members == {(f"aud_{dogs.pk}", "7")}


def test_it_tells_a_new_name_with_the_next_request(
    activation: Activation, far: Receiver, cats: Audience
) -> None:
    due(activation)
    Audience.objects.filter(pk=cats.pk).update(name="Owners of cats", tags=["pets"])
    run = due(activation)
    assert (run.requests, run.added) == (1, 0)
    assert far.names == {f"aud_{cats.pk}": "Owners of cats"}
    assert far.bodies[1]["audiences"][0]["tags"] == ["pets"]
    assert far.bodies[1]["audiences"][0]["identifier"] == "cat_owners"


def test_it_takes_everybody_out_of_an_audience_that_is_removed(
    account: Account, activation: Activation, far: Receiver, cats: Audience
) -> None:
    changes.attach(activation, made.audience(account, "dogs", made.person(account, userid=9)))
    due(activation)
    changes.detach(activation, cats)
    queue.run_due()
    assert far.people() == {"9"}
    assert [one.audience.identifier for one in activation.attachments.all()] == ["dogs"]


def test_it_takes_everybody_out_of_an_audience_that_was_archived(
    activation: Activation, far: Receiver, cats: Audience
) -> None:
    due(activation)
    Audience.objects.filter(pk=cats.pk).update(archived_at=timezone.now())
    news.sweep()
    queue.run_due()
    assert not far.members
    assert not activation.attachments.exists()


@pytest.mark.parametrize("faults", [[500, 503], ["dead", "dead"], ["cut", 502], [429, 500]])
def test_it_tries_again_with_the_same_request(
    activation: Activation, far: Receiver, faults: list[Any]
) -> None:
    far.faults.extend(faults)
    run = due(activation)
    assert (run.state, run.added) == ("later", 0)
    wait = time_has_come(activation) - timezone.now()
    assert timedelta(seconds=50) < wait <= timedelta(minutes=1)
    second = deliver.deliver(activation.pk)
    assert second is not None
    wait = time_has_come(activation) - timezone.now()
    assert timedelta(minutes=4) < wait <= timedelta(minutes=5)
    third = deliver.deliver(activation.pk)
    assert third is not None
    assert (third.state, third.added) == ("done", 2)
    assert len({one["request_id"] for one in far.bodies}) == 1
    assert len({body for _, body in far.raw}) == 1
    assert set(far.adds.values()) == {1}
    assert Activation.objects.get().attempts == 0


def test_it_waits_as_long_as_the_receiver_asks(activation: Activation, far: Receiver) -> None:
    far.faults.append(429)
    far.retry_after = "600"
    due(activation)
    assert time_has_come(activation) - timezone.now() > timedelta(minutes=9)


def test_it_gives_up_after_six_tries(activation: Activation, far: Receiver) -> None:
    far.faults.extend([500] * 6)
    due(activation)
    for _ in range(5):
        time_has_come(activation)
        deliver.deliver(activation.pk)
    found, reason = state(activation)
    assert found == "error"
    assert "tried 6 times" in reason
    assert deliver.deliver(activation.pk) is None


def test_it_gives_a_slow_receiver_up_and_repeats_what_it_took(
    activation: Activation, far: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "CLIENT", SafeClient(purpose="activation", budget=0.3))
    far.faults.append("slow")
    far.delay = 0.8
    assert due(activation).state == "later"
    monkeypatch.undo()
    time_has_come(activation)
    run = deliver.deliver(activation.pk)
    assert run is not None
    assert run.state == "done"
    assert set(far.adds.values()) == {1}


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 410, 413, 422])
def test_it_stops_at_a_refusal_until_somebody_resumes_it(
    activation: Activation, far: Receiver, status: int
) -> None:
    far.faults.append(status)
    run = due(activation)
    assert run.state == "failed"
    found, reason = state(activation)
    assert found == "error"
    assert f"status {status}" in reason
    assert deliver.deliver(activation.pk) is None
    assert len(far.bodies) == 1
    activation.refresh_from_db()
    changes.resume(activation)
    queue.run_due()
    assert state(activation) == ("active", "")
    assert far.people() == {"1", "2"}


def test_it_sends_again_after_an_edit_of_what_was_wrong(activation: Activation, far: Receiver) -> None:
    far.faults.append(422)
    due(activation)
    assert state(activation)[1].endswith("The group is gone.")
    activation.refresh_from_db()
    changes.edit(activation, config=activation.config | {"segment_group_identifier": "others"})
    queue.run_due()
    assert state(activation) == ("active", "")
    assert far.bodies[-1]["segment_group_identifier"] == "others"
    assert far.people() == {"1", "2"}


def test_it_removes_who_left_while_an_answer_was_lost(
    activation: Activation, far: Receiver, cats: Audience
) -> None:
    far.faults.append("cut")
    due(activation)
    assert far.people() == {"1", "2"}
    assert not made.ledger(activation)
    made.calculate(cats, [])
    time_has_come(activation)
    deliver.deliver(activation.pk)
    assert not far.members
    assert not made.ledger(activation)


def test_it_sends_nothing_while_it_is_paused(
    account: Account, activation: Activation, far: Receiver, cats: Audience
) -> None:
    due(activation)
    changes.pause(activation)
    made.calculate(cats, [made.person(account, userid=5)])
    news.sweep()
    queue.run_due()
    assert len(far.bodies) == 1
    assert made.ledger(activation) == {("cat_owners", "1"), ("cat_owners", "2")}
    changes.resume(activation)
    queue.run_due()
    assert far.people() == {"5"}


def test_it_deletes_an_activation_and_leaves_the_members(activation: Activation, far: Receiver) -> None:
    due(activation)
    changes.delete(activation)
    assert not Activation.objects.exists()
    assert far.people() == {"1", "2"}


def test_it_deletes_an_activation_after_everybody_was_removed(activation: Activation, far: Receiver) -> None:
    due(activation)
    far.faults.append(500)
    changes.delete(activation, memberships="remove")
    queue.run_due()
    assert Activation.objects.get().ending_at
    time_has_come(activation)
    news.sweep()
    queue.run_due()
    assert not Activation.objects.exists()
    assert not far.members


@pytest.mark.case("T13")
@pytest.mark.django_db(databases="__all__")  # others hear of it too
def test_it_takes_out_who_was_erased(activation: Activation, far: Receiver, account: Account) -> None:
    due(activation)
    name = ProfileIdentifier.objects.filter(kind="userid").order_by("pk")[0]
    gone = [(name.kind, name.digest)]
    name.profile.delete()
    erased.send(Account, account=account.pk, identifiers=gone)
    queue.run_due()
    assert far.people() == {"2"}
    assert made.ledger(activation) == {("cat_owners", "2")}


def test_it_heals_when_a_name_moves_to_somebody_outside(
    activation: Activation, far: Receiver, account: Account
) -> None:
    due(activation)
    name = ProfileIdentifier.objects.filter(kind="userid").order_by("pk")[0]
    ProfileIdentifier.objects.filter(pk=name.pk).update(profile=made.person(account))
    due(activation)
    assert far.people() == {"2"}


def test_it_sends_only_who_granted_its_purpose(account: Account, far: Receiver) -> None:
    people = [made.person(account, userid=number) for number in range(1, 6)]
    now = timezone.now()

    def said(person: int, status: str, *, days: int, until: int | None = None) -> None:
        Consent.objects.create(
            profile=people[person - 1],
            purpose="marketing",
            status=status,
            given_at=now - timedelta(days=days),
            expires_at=None if until is None else now + timedelta(days=until),
        )

    said(1, "granted", days=3)
    said(2, "granted", days=3)
    said(2, "revoked", days=1)
    said(3, "denied", days=3)
    said(3, "granted", days=1, until=1)
    said(4, "granted", days=3, until=-1)
    activation = made.site(made.audience(account, "a", *people), url=far.url, purpose="marketing")
    due(activation)
    assert far.people() == {"1", "3"}
    said(1, "revoked", days=0)
    due(activation)
    assert far.people() == {"3"}


def test_it_divides_what_is_too_much_for_one_request(
    account: Account, far: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "RANGE", 7)
    people = [made.person(account, userid=f"{number}{'ü' * 240}") for number in range(1_040)]
    cats, dogs = made.audience(account, "cats", *people), made.audience(account, "dogs", *people[:30])
    activation = made.site(cats, dogs, url=far.url)
    run = due(activation)
    assert run.added == 1_070
    assert len(far.members) == 1_070
    assert max(len(one["actions"]) for one in far.bodies) <= 1_000
    assert max(len(body) for _, body in far.raw) <= 1024 * 1024
    made.calculate(cats, people[::2])
    queue.run_due()
    assert len(far.members) == 550
    assert far.most_at_once == 1
    numbers = [one["sequence"] for one in far.bodies]
    assert numbers == sorted(set(numbers))


def test_it_takes_up_what_another_worker_died_of(activation: Activation, far: Receiver) -> None:
    Activation.objects.update(lease_owner="dead", lease_until=timezone.now() + timedelta(seconds=30))
    changes.mark(activation)
    assert deliver.deliver(activation.pk) is None
    assert not far.bodies
    Activation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    DeliveryRun.objects.create(activation=activation)
    news.sweep()
    queue.run_due()
    assert far.people() == {"1", "2"}
    assert list(DeliveryRun.objects.order_by("pk").values_list("state", flat=True)) == ["stopped", "done"]


def test_it_finds_news_that_were_lost(account: Account, activation: Activation, far: Receiver) -> None:
    cats = Audience.objects.get()
    made.calculate(cats, [made.person(account, userid=8)], tell=False)
    assert not Job.objects.exists()
    news.sweep()
    queue.run_due()
    assert far.people() == {"8"}


def test_it_sends_everybody_to_another_receiver(activation: Activation, far: Receiver, settings: Any) -> None:
    from tests.cdp.activations.receivers import receiver

    due(activation)
    with receiver() as other:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{other.port}"]
        activation.refresh_from_db()
        config = activation.config | {"base_url": other.url}
        with pytest.raises(ActivationFault, match="Enter the secret too"):
            changes.edit(activation, config=config)
        changes.edit(activation, config=config, secret=made.CLIENT_SECRET)
        queue.run_due()
        assert other.people() == {"1", "2"}
    assert far.people() == {"1", "2"}
    assert len(far.bodies) == 1


def test_it_calls_no_private_address_that_only_a_form_names(
    activation: Activation, far: Receiver, settings: Any
) -> None:
    settings.OUTBOUND_ALLOW = []
    run = due(activation)
    assert run.state == "failed"
    assert "LODESTAR_OUTBOUND_ALLOW" in state(activation)[1]
    assert not far.bodies


def test_it_forgets_a_request_only_with_its_answer(activation: Activation, far: Receiver) -> None:
    far.faults.append("dead")
    due(activation)
    stored = Parcel.objects.get()
    assert "1" not in str([action[3] for action in stored.actions][0])[:3]
    time_has_come(activation)
    breaker.reset()
    deliver.deliver(activation.pk)
    assert not Parcel.objects.exists()
    assert ActivationAudience.objects.get().told
