"""Whom a request names: a user by number or by address, and nobody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connections

from cdp.models import BulkItem
from tests.cdp.conftest import Platform
from tests.cdp.webhook.state import members, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_is_not_known_is_skipped(platform: Platform, users: list[int]) -> None:
    answer = platform.send(
        *[("add", "a", person) for person in ("nobody", "0", "-1", "01", "9" * 30, "1.0", users[0])]
    )
    assert answer.status_code == 200
    assert (answer.json()["applied"], answer.json()["skipped"]) == (1, 6)
    assert answer.json()["errors"][0] == {"index": 0, "code": "unknown_person"}


def test_a_person_may_be_an_address(platform: Platform, users: list[int]) -> None:
    User.objects.create_user("twin", email="U1@example.org")
    answer = platform.send(
        ("add", "a", "U0@Example.ORG"), ("add", "a", "u1@example.org"), person_identifier="email"
    )
    # Two users have the second address.
    assert (answer.json()["applied"], answer.json()["skipped"]) == (1, 1)
    assert answer.json()["errors"] == [{"index": 1, "code": "ambiguous_person"}]
    assert members("a") == {users[0]}


def test_one_person_named_in_two_ways_is_one(platform: Platform, users: list[int]) -> None:
    many = [("add", "a", one) for one in users[:100]]
    platform.send(*many)
    removals = [("remove", "a", f"U{n}@example.org") for n in range(100)]
    platform.send(*removals, person_identifier="email")
    work()
    assert members("a") == set()
    platform.send(*many)
    platform.send(("remove", "a", "u0@EXAMPLE.org"), person_identifier="email")
    work()
    assert members("a") == set(users[1:100])


def test_nobody_is_the_person_without_an_address(platform: Platform) -> None:
    User.objects.create_superuser("root", password="pw")
    answer = platform.send(("add", "a", " "), person_identifier="email")
    assert answer.json()["skipped"] == 1


def test_how_a_person_is_named_is_not_kept(platform: Platform, users: list[int]) -> None:
    actions = [("add", "a", f"u{n}@example.org") for n in range(100)] + [("add", "a", "stranger@x.org")]
    platform.send(*actions, person_identifier="email")
    assert BulkItem.objects.filter(user=None).count() == 1
    for table in ("cdp_bulkitem", "cdp_webhookrequest", "cdp_bulkbatch"):
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
            assert "@" not in str(cursor.fetchall())


def test_an_address_may_have_any_letters(platform: Platform, users: list[int]) -> None:
    for name in ("Zoë@Example.org", "ZOË@b.example", "zoe@example.org"):
        User.objects.create_user(name, email=name)
    answer = platform.send(
        ("add", "a", "zoë@example.org"),
        ("add", "a", "zoË@B.example"),
        ("add", "a", "U3@example.org"),
        person_identifier="email",
    )
    assert answer.json()["applied"] == 3
    found = User.objects.filter(pk__in=members("a")).values_list("username", flat=True)
    assert set(found) == {"Zoë@Example.org", "ZOË@b.example", "u3"}


def test_an_index_finds_addresses(users: list[int]) -> None:
    with connections["default"].cursor() as cursor:
        names = connections["default"].introspection.get_constraints(cursor, User._meta.db_table)
    assert "cdp_user_address" in names
