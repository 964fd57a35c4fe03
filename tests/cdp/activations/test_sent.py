"""The log of requests, and sending one again that failed."""

from __future__ import annotations

import pytest

from cdp.activations import changes, deliver, sent, upkeep
from cdp.activations.faults import ActivationFault
from cdp.activations.models import Activation, Parcel, SentRequest
from cdp.profiles.models import Account
from config.jobs import queue
from tests.cdp.activations import made
from tests.cdp.activations.conftest import time_has_come
from tests.cdp.activations.receivers import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def activation(account: Account, far: Receiver) -> Activation:
    people = [made.person(account, userid=number) for number in (1, 2)]
    return made.site(made.audience(account, "cat_owners", *people), url=far.url)


def send(activation: Activation) -> SentRequest:
    changes.mark(activation)
    deliver.deliver(activation.pk)
    return SentRequest.objects.order_by("pk").get()


def test_it_keeps_what_was_sent_and_what_came_back(activation: Activation, far: Receiver) -> None:
    row = send(activation)
    assert (row.state, row.status, row.added, row.removed, row.attempts) == ("delivered", 200, 2, 0, 1)
    assert row.address == far.url
    assert row.answer == "0 skipped"
    assert str(row.request_id) == far.bodies[0]["request_id"]
    attached = activation.attachments.get()
    assert (attached.last_added, attached.last_removed) == (2, 0)
    changes.mark(activation)
    assert deliver.deliver(activation.pk) is not None
    attached.refresh_from_db()
    assert (attached.last_added, SentRequest.objects.count()) == (0, 1)


def test_it_counts_tries_of_one_request_and_says_what_went_wrong(
    activation: Activation, far: Receiver
) -> None:
    far.faults.extend([503, "dead", 422])
    row = send(activation)
    assert (row.state, row.status, row.attempts) == ("later", 503, 1)
    for status, state in ((None, "later"), (422, "failed")):
        time_has_come(activation)
        deliver.deliver(activation.pk)
        row.refresh_from_db()
        assert (row.status, row.state) == (status, state)
    assert row.attempts == 3
    assert "The group is gone" in row.answer
    assert made.CLIENT_SECRET not in str(vars(row))


def test_it_sends_a_failed_request_again_with_the_same_id(activation: Activation, far: Receiver) -> None:
    far.faults.append(422)
    row = send(activation)
    activation.refresh_from_db()
    assert activation.state == "error"
    changes.redeliver(activation, str(row.request_id))
    queue.run_due()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("delivered", 2)
    assert far.raw[0][1] == far.raw[1][1]
    assert far.people() == {"1", "2"}
    for wrong in (str(row.request_id), "nonsense"):
        with pytest.raises(ActivationFault, match="Nothing is left to send"):
            changes.redeliver(activation, wrong)


def test_it_sends_nothing_again_while_it_is_paused(activation: Activation, far: Receiver) -> None:
    far.faults.append(503)
    row = send(activation)
    changes.pause(activation)
    with pytest.raises(ActivationFault, match="is paused"):
        changes.redeliver(activation, str(row.request_id))


def test_it_writes_nothing_of_an_activation_that_is_gone(activation: Activation, far: Receiver) -> None:
    far.faults.append(503)
    send(activation)
    parcel = Parcel.objects.get()
    changes.delete(activation)
    sent.record_failure(parcel, sent.Tried(SentRequest.State.LATER, 503, "Busy.", far.url, 0.1))
    assert not SentRequest.objects.exists()


def test_it_forgets_old_requests(activation: Activation, far: Receiver) -> None:
    send(activation)
    upkeep.forget_old()
    assert SentRequest.objects.count() == 1
    SentRequest.objects.update(last_at="2020-01-01T00:00:00Z")
    upkeep.forget_old()
    assert not SentRequest.objects.exists()
