"""What somebody, or another worker, does while a delivery is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from cdp.activations import changes, deliver, parcels
from cdp.activations.models import Activation
from config.http import breaker
from config.jobs import queue
from tests.cdp.activations import made
from tests.cdp.activations.receivers import Receiver, receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def activation(far: Receiver, monkeypatch: pytest.MonkeyPatch) -> Activation:
    """Six people, in requests of two."""
    monkeypatch.setattr(parcels, "MOST_ACTIONS", 2)
    account = made.account()
    people = [made.person(account, userid=number) for number in range(1, 7)]
    activation = made.site(made.audience(account, "cats", *people), url=far.url)
    changes.mark(activation)
    return activation


def beside(do: Callable[[], Any]) -> Callable[[Any], None]:
    """Do it in the receiver's thread before it answers."""

    def hook(_document: Any) -> None:
        try:
            do()
        finally:
            connection.close()

    return hook


def state_of(activation: Activation) -> str:
    run = deliver.deliver(activation.pk)
    return run.state if run else "none"


def test_it_stops_after_the_request_during_which_it_is_paused(activation: Activation, far: Receiver) -> None:
    far.faults.append(beside(lambda: changes.pause(activation)))
    assert state_of(activation) == "stopped"
    assert len(far.bodies) == 1
    assert len(made.ledger(activation)) == 2
    changes.resume(activation)
    queue.run_due()
    assert set(far.adds.values()) == {1}
    assert len(far.members) == 6


def test_it_ends_when_the_activation_is_deleted(activation: Activation, far: Receiver) -> None:
    far.faults.append(beside(lambda: changes.delete(Activation.objects.get())))
    assert state_of(activation) == "none"
    assert len(far.bodies) == 1
    assert not Activation.objects.exists()


def test_it_leaves_no_gap_when_the_receiver_is_changed(
    activation: Activation, far: Receiver, settings: Any
) -> None:
    with receiver() as other:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{other.port}", f"127.0.0.1:{far.port}"]
        config = activation.config | {"base_url": other.url}
        far.faults.append(
            beside(lambda: changes.edit(Activation.objects.get(), config=config, secret=made.CLIENT_SECRET))
        )
        assert state_of(activation) == "stopped"
        queue.run_due()
        assert len(other.members) == 6
    assert len(far.bodies) == 1


def test_it_leaves_the_delivery_to_the_worker_that_has_it(activation: Activation, far: Receiver) -> None:
    found: list[Any] = []
    far.faults.append(beside(lambda: found.append(deliver.deliver(activation.pk))))
    assert state_of(activation) == "done"
    assert found == [None]
    assert far.most_at_once == 1
    assert set(far.adds.values()) == {1}


def test_it_delivers_what_came_meanwhile_afterwards(activation: Activation, far: Receiver) -> None:
    audience = activation.attachments.get().audience

    def somebody_new() -> None:
        people = [one.profile for one in audience.memberships.select_related("profile")]
        made.calculate(audience, [*people, made.person(audience.account, userid=99)])

    far.faults.extend([None, None, beside(somebody_new)])
    assert state_of(activation) == "done"
    breaker.reset()
    queue.run_due()
    assert len(far.members) == 7
    assert set(far.adds.values()) == {1}
