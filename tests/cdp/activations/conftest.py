from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from cdp.activations.models import Activation
from cdp.profiles.models import Account
from config.http import breaker
from tests.cdp.activations import made
from tests.cdp.activations.receivers import Receiver, receiver


@pytest.fixture(autouse=True)
def _no_open_breakers() -> Iterator[None]:
    breaker.reset()
    yield
    breaker.reset()


@pytest.fixture
def account(db: None) -> Account:
    return made.account()


@pytest.fixture
def far(settings: Any) -> Iterator[Receiver]:
    """A receiver elsewhere, which the operator allowed to call."""
    with receiver() as state:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{state.port}"]
        yield state


def time_has_come(activation: Activation) -> datetime:
    """Let the next try be due now; when it would have been."""
    row = Activation.objects.get(pk=activation.pk)
    assert row.retry_at is not None
    Activation.objects.filter(pk=row.pk).update(retry_at=timezone.now() - timedelta(seconds=1))
    breaker.reset()
    return row.retry_at
