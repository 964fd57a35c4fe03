"""An account, and people as sources name them."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.profiles import accounts, identifiers
from cdp.profiles.models import Account, ProfileIdentifier
from cdp.profiles.people import Named, identify


@pytest.fixture
def account(db: None) -> Account:
    return accounts.create(123456, name="Shop", time_zone="Europe/Oslo")


def named(**names: Any) -> list[Named]:
    """The names of one person, by kind."""
    return [Named(kind, identifiers.normal(kind, value)) for kind, value in names.items()]


def known(account: Account, *persons: list[Named]) -> list[int | None]:
    """Their profiles, which are made if need be."""
    found = identify(account, persons, reason="test")
    return [one.profile_id if one else None for one in found]


def identity(account: Account, **names: Any) -> ProfileIdentifier:
    [found] = identify(account, [named(**names)], reason="test")
    assert found
    return found
