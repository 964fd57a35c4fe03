"""Who is meant by names ..."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from cdp.profiles import accounts, identifiers, people
from cdp.profiles.models import (
    Account,
    Feed,
    Insight,
    Profile,
    ProfileIdentifier,
    ProfileMerge,
    Suppression,
)
from cdp.profiles.people import Named, find, find_by_uuid, identify
from tests.cdp.profiles.conftest import known, named
from tracking.identity import pseudonym

pytestmark = pytest.mark.django_db


def test_makes_one_profile_for_each_person_and_finds_it_again(account: Account) -> None:
    first = known(account, named(userid=1, email="A@example.org"), named(userid=2))
    again = known(account, named(userid=2), named(email="a@example.org "))
    assert first == again[::-1]
    assert Profile.objects.count() == 2
    profile = find(account, "email", "a@example.org")
    assert profile
    assert profile.pk == first[0]
    assert find(account, "email", "b@example.org") is None


def test_gives_the_identity_of_the_first_name(account: Account) -> None:
    [one] = identify(account, [named(email="a@example.org", userid=1)], reason="test")
    assert one
    assert (one.kind, identifiers.unseal(one.sealed)) == ("email", "a@example.org")


def test_joins_a_chain_of_people_of_one_batch(account: Account) -> None:
    found = known(
        account, named(coid="a"), named(coid="b"), named(userid=1, coid="a"), named(userid=1, coid="b")
    )
    assert len(set(found)) == 1
    assert ProfileIdentifier.objects.count() == 3
    assert not ProfileMerge.objects.exists()


def test_merges_into_the_oldest_and_leads_old_addresses_there(account: Account) -> None:
    old, young = known(account, named(coid="a"), named(email="a@example.org"))
    addresses = dict(Profile.objects.values_list("pk", "uuid"))
    [found] = known(account, named(email="a@example.org", coid="a"))
    assert found == old
    assert set(Profile.objects.values_list("pk", flat=True)) == {old}
    record = ProfileMerge.objects.get()
    assert (record.loser, record.winner) == (addresses[young], addresses[old])
    profile = find_by_uuid(account, addresses[young])
    assert profile
    assert profile.pk == old
    assert find_by_uuid(accounts.create(5555, name="Other"), addresses[young]) is None


@pytest.mark.parametrize("nobody", ["test@test.com", "Test@Test.com", "shared@example.org"])
def test_joins_nobody_by_what_is_nobodys_name(account: Account, nobody: str, settings: Any) -> None:
    settings.CDP_IDENTIFIER_BLOCKLIST = frozenset({"shared@example.org"})
    found = known(account, *(named(userid=n, email=nobody) for n in range(1, 201)))
    assert len(set(found)) == 200
    assert not ProfileIdentifier.objects.filter(kind="email").exists()
    assert known(account, named(email=nobody), [], named(userid="0", email="me@example.org"))[:2] == [
        None,
        None,
    ]


def test_refuses_to_make_somebody_of_too_many(account: Account) -> None:
    found = known(account, *(named(userid=n, email="office@example.org") for n in range(1, 61)))
    assert len(set(found)) == 11
    assert found[:50] == [found[0]] * 50
    again = known(account, *(named(userid=n, email="office@example.org") for n in range(1, 61)))
    assert again == found
    insight = Insight.objects.filter(code="too_many_identifiers").first()
    assert insight
    assert "CDP_IDENTIFIER_BLOCKLIST" in insight.message


def test_brings_back_nobody_who_was_erased(account: Account) -> None:
    for kind, text in (("userid", "1"), ("coid", "device")):
        digest = identifiers.digest(account.number, kind, text)
        Suppression.objects.create(account=account, kind=kind, digest=digest)
    persons = [named(userid=1), named(email="new@example.org", userid=1), named(coid="device")]
    assert known(account, *persons) == [None, None, None]
    assert known(account, named(userid=2, coid="device")) != [None]
    assert list(ProfileIdentifier.objects.values_list("kind", flat=True)) == ["userid"]


def test_finds_what_was_tracked_of_a_user(account: Account) -> None:
    Feed.objects.create(account=account, customer_id="10101")
    tracked = Named("tracked:10101", pseudonym("10101", "14"))
    [anonymous] = known(account, [tracked])
    [user] = known(account, named(userid=14, email="a@example.org"))
    assert user == anonymous
    assert ProfileIdentifier.objects.filter(kind="tracked:10101").count() == 1


def test_needs_a_handful_of_queries_for_any_number(
    account: Account, django_assert_max_num_queries: Any
) -> None:
    Feed.objects.create(account=account, customer_id="10101")
    persons = [named(userid=n, email=f"u{n}@example.org") for n in range(2_000)]
    with django_assert_max_num_queries(12):
        known(account, *persons)
    with django_assert_max_num_queries(8):
        known(account, *persons)


def test_keeps_accounts_apart(account: Account) -> None:
    other = accounts.create(5555, name="Other")
    assert known(account, named(userid=1)) != known(other, named(userid=1))
    assert people.find(other, "userid", "1") != people.find(account, "userid", "1")


@pytest.mark.django_db(transaction=True)
def test_makes_one_profile_when_workers_meet(account: Account) -> None:
    def work(number: int) -> list[int | None]:
        try:
            order = range(1, 41) if number % 2 else range(40, 0, -1)
            found = [known(account, named(userid=n, email=f"u{n}@example.org"))[0] for n in order]
            return found if number % 2 else found[::-1]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(4)))
    assert [results[0]] * 4 == results
    assert Profile.objects.count() == 40
    assert ProfileIdentifier.objects.count() == 80
