"""The people of the reference's fixture, and the attributes that are known of them."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.audiences import changes
from cdp.audiences.models import Audience
from cdp.profiles import vocabulary
from cdp.profiles.models import Account
from tests.cdp.audiences.population import Population, of_reference

TYPES = {
    "country": "string",
    "born": "date",
    "points": "integer",
    "member": "boolean",
    "tags": "array",
    "seen_at": "datetime",
}


@pytest.fixture(autouse=True)
def _attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a schema would declare."""
    monkeypatch.setattr(vocabulary, "_providers", [])
    vocabulary.register(lambda _account: dict(TYPES))


@pytest.fixture
def population(db: None) -> Population:
    return of_reference()


@pytest.fixture
def account(population: Population) -> Account:
    return population.account


class Make:
    """Audiences of an account, by their name."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def __call__(self, name: str, definition: dict[str, Any], **more: Any) -> Audience:
        return changes.create(self.account, name=name, definition=definition, **more)


@pytest.fixture
def make(account: Account) -> Make:
    return Make(account)
