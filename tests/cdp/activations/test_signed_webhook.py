"""What a receiver of signed webhooks sees, checked by the code of docs/activations.md."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from cdp.activations import changes, deliver
from cdp.activations.models import Activation
from cdp.activations.targets.webhook import signature_headers
from cdp.profiles.models import Account
from tests.cdp.activations import made
from tests.cdp.activations.conftest import time_has_come
from tests.cdp.activations.receivers import Receiver
from tests.flows.installation import ROOT

pytestmark = pytest.mark.django_db
Check = Callable[..., bool]


@pytest.fixture
def is_genuine() -> Check:
    """As the documentation has it."""
    page = (ROOT / "docs/activations.md").read_text()
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert example
    names: dict[str, Any] = {}
    exec(example.group(1), names)  # noqa: S102 - ours
    check: Check = names["is_genuine"]
    return check


@pytest.fixture
def made_up(account: Account, far: Receiver) -> tuple[Activation, str]:
    audience = made.audience(account, "cats", made.person(account, email="Ann@Example.org"))
    return changes.create(
        account,
        name="Mail",
        kind="webhook",
        person_identifier="email",
        config={"url": far.url},
        audiences=[audience],
    )


def test_it_signs_as_the_specification_does() -> None:
    """The example of standardwebhooks.com."""
    secret = "whsec_plJ3nmyCDGBKInavdOK15jsl"
    body = b'{"event_type":"ping","data":{"success":true}}'
    headers = signature_headers([secret], request_id="msg_loFOjxBNrRLzqYUf", at=1731705121, body=body)
    assert headers == {
        "webhook-id": "msg_loFOjxBNrRLzqYUf",
        "webhook-timestamp": "1731705121",
        "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    }


def test_it_sends_what_a_receiver_can_check(
    made_up: tuple[Activation, str], far: Receiver, is_genuine: Check
) -> None:
    activation, secret = made_up
    changes.mark(activation)
    deliver.deliver(activation.pk)
    headers, body = far.raw[0]
    assert is_genuine(headers, body, secret)
    assert not is_genuine(headers, body + b" ", secret)
    assert not is_genuine(headers, body, "whsec_" + base64.b64encode(b"o" * 32).decode())
    assert not is_genuine(headers | {"webhook-id": "another"}, body, secret)
    assert not is_genuine(headers | {"webhook-timestamp": "1"}, body, secret)
    document = far.bodies[0]
    assert document["type"] == "audience.members_changed"
    assert document["data"]["actions"][0]["person"] == "ann@example.org"
    assert document["data"]["sequence"] == Activation.objects.get().sequence


def test_it_signs_with_both_secrets_while_one_is_changed(
    made_up: tuple[Activation, str], far: Receiver, is_genuine: Check
) -> None:
    activation, first = made_up
    second = changes.rotate(activation)
    changes.mark(activation)
    deliver.deliver(activation.pk)
    headers, body = far.raw[0]
    assert is_genuine(headers, body, first)
    assert is_genuine(headers, body, second)
    Activation.objects.update(previous_until=timezone.now())
    assert changes.try_connection(Activation.objects.get()).ok
    assert not is_genuine(*far.raw[1], first)
    assert far.bodies[1]["type"] == "audience.test"


def test_it_repeats_a_request_under_its_id(made_up: tuple[Activation, str], far: Receiver) -> None:
    activation, _ = made_up
    far.faults.append("cut")
    changes.mark(activation)
    deliver.deliver(activation.pk)
    time_has_come(activation)
    deliver.deliver(activation.pk)
    (first, body), (second, again) = far.raw
    assert body == again
    assert first["webhook-id"] == second["webhook-id"]
    assert set(far.adds.values()) == {1}
