"""A person identifier ..."""

from __future__ import annotations

import pytest

from cdp.profiles import accounts, kinds, subject
from cdp.profiles.kinds import KindFault
from cdp.profiles.models import Account, Contribution, PersonIdentifier, Profile, ProfileIdentifier
from cdp.profiles.people import Named, find
from tests.cdp.profiles.conftest import known, named


def one(account: Account, name: str) -> PersonIdentifier:
    return PersonIdentifier.objects.get(account=account, name=name)


def test_it_is_added_and_names_people(account: Account) -> None:
    assert kinds.active(account) == ["userid", "coid", "email"]
    kinds.add(account, " crm_no ")
    assert kinds.active(account)[-1] == "crm_no"
    [person] = known(account, named(crm_no="K-7", userid=1))
    assert known(account, named(crm_no="K-7")) == [person]


@pytest.mark.parametrize("name", ["", "  ", "7up", "a b", "tracked:1", "x" * 65, "ä", "a\n", "a\0"])
def test_it_refuses_what_is_no_name(account: Account, name: str) -> None:
    with pytest.raises(KindFault, match="begins with a letter or _") as refused:
        kinds.add(account, name + "!" if name.endswith("\n") else name)
    assert refused.value.code == "bad_name"
    assert PersonIdentifier.objects.filter(account=account).count() == 3


def test_its_name_is_never_used_again_in_the_account(account: Account) -> None:
    crm = kinds.add(account, "crm")
    for name in ("crm", "CRM", "UserId"):
        with pytest.raises(KindFault, match="already"):
            kinds.add(account, name)
    kinds.deactivate(crm)
    assert crm.deactivated_at is not None
    with pytest.raises(KindFault, match="never used again") as refused:
        kinds.add(account, "Crm")
    assert refused.value.code == "name_taken"
    with pytest.raises(KindFault, match="deactivated already"):
        kinds.deactivate(crm)
    assert kinds.add(accounts.create(4711, name="Other"), "crm").active


def test_it_joins_and_names_nobody_once_it_is_deactivated(account: Account) -> None:
    [ada, bob] = known(account, named(email="ada@x.org", userid=1), named(userid=2))
    kinds.deactivate(one(account, "email"))
    assert known(account, named(userid=2, email="ada@x.org"), named(email="ada@x.org")) == [bob, None]
    assert known(account, named(userid=3, email="new@x.org")) != [None]
    assert Profile.objects.count() == 3
    names = ProfileIdentifier.objects.filter(kind="email")
    assert [name.profile_id for name in names] == [ada]  # what was there stays with its person
    found = find(account, "email", "ada@x.org")
    assert found
    assert found.pk == ada
    subject.rectify(account, Named("email", "ada@x.org"), {"city": "Oslo"})
    assert Contribution.objects.get().identity.profile_id == ada


def test_a_name_that_was_erased_bars_the_row_also_when_its_kind_is_deactivated(account: Account) -> None:
    known(account, named(email="ada@x.org"))
    subject.ask(account, named(email="ada@x.org"))
    kinds.deactivate(one(account, "email"))
    assert known(account, named(userid=9, email="ada@x.org")) == [None]


def test_it_counts_the_people_known_by_it_in_one_query(
    account: Account, django_assert_num_queries: object
) -> None:
    known(account, named(userid=1, coid="a"), named(userid=2), named(userid=1, coid="b"))
    known(accounts.create(4711, name="Other"), named(userid=7))
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = {row.name: row.profiles for row in kinds.with_counts().filter(account=account)}  # type: ignore[attr-defined]
    assert found == {"userid": 2, "coid": 1, "email": 0}
