from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from cdp.profiles import accounts
from cdp.profiles.models import Account
from tests.cdp.dataflows.conftest import Feed


@pytest.fixture
def account(sites: Any, db: None) -> Account:
    return accounts.create(123456, name="Shop")


@pytest.fixture
def feed(account: Account) -> Feed:
    return Feed(account)


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", "boss@example.org", "x" * 12))
    return client


def somebody(*codenames: str) -> Client:
    """A user of the back office with these permissions."""
    user = User.objects.create_user("".join(codenames)[:100] or "nobody", "n@example.org", "x" * 12)
    wanted = Permission.objects.filter(codename__in=["access_admin", *codenames])
    user.user_permissions.set(wanted)
    client = Client()
    client.force_login(user)
    return client
