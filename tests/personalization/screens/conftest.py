"""A customer with items, events and two models, and people of the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from wagtail.models import ModelLogEntry

from tests.personalization.server import made
from tests.personalization.server.conftest import new_account
from tests.personalization.server.made import did


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.LAKE_ROOT = tmp_path / "lake"
    settings.ARTEFACT_ROOT = tmp_path / "models"
    made.forget()


@pytest.fixture
def customer(db: None) -> str:
    """Four items of type 38; items 1, 2 and 3 are looked at together."""
    customer_id = new_account("Made", kind="commerce").customer_id
    made.stored(customer_id, {n: {"price": f"{n}0.00EUR"} for n in range(1, 5)})
    made.happened(customer_id, did("click", "a", 1, 2, 3) + did("click", "b", 1, 2) + did("click", "c", 4))
    made.model(customer_id, "popularity", signal="click", build=False)
    made.model(customer_id, "co_occurrence", signal="click", identifier="near", build=False)
    made.scenario(customer_id, "near", "made")
    return customer_id


@pytest.fixture
def admin(db: None) -> Client:
    return logged_in(User.objects.create_superuser("boss", "boss@example.org", "x" * 12))


def somebody(*codenames: str) -> Client:
    """A user of the back office with these permissions."""
    user = User.objects.create_user("-".join(codenames)[:100] or "nobody", "n@example.org", "x" * 12)
    wanted = Permission.objects.filter(codename__in=["access_admin", *codenames])
    user.user_permissions.set(wanted)
    return logged_in(user)


def logged() -> list[str]:
    """What the log of the back office says was done, in its order."""
    return list(ModelLogEntry.objects.order_by("pk").values_list("action", flat=True))


def logged_in(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client
