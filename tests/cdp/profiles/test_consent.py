"""What people said to purposes ..."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cdp.profiles import accounts, consent
from cdp.profiles.consent import UnknownPurpose, record, state, withdraw
from cdp.profiles.models import Account, Consent, Profile
from cdp.profiles.people import Named
from tests.cdp.profiles.conftest import identity, known, named
from tracking.identity import pseudonym

pytestmark = pytest.mark.django_db
GRANTED, DENIED = Consent.Status.GRANTED, Consent.Status.DENIED
THEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def person(account: Account) -> Profile:
    return identity(account, userid=1, coid="a").profile


def test_counts_until_it_ends_and_by_the_newest_word(person: Profile) -> None:
    assert state(person, "marketing") == "absent"
    record(person, "marketing", GRANTED, given_at=THEN)
    assert state(person, "marketing", at=THEN + timedelta(days=729)) == "granted"
    assert state(person, "marketing", at=THEN + timedelta(days=730)) == "expired"
    assert state(person, "marketing", at=THEN - timedelta(days=1)) == "absent"
    record(person, "marketing", DENIED, given_at=THEN + timedelta(days=1))
    assert state(person, "marketing", at=THEN + timedelta(days=2)) == "denied"
    assert state(person, "statistics") == "absent"


def test_ends_when_it_was_said_to_end(person: Profile) -> None:
    record(person, "marketing", GRANTED, given_at=THEN, expires_at=THEN + timedelta(days=1))
    assert state(person, "marketing", at=THEN + timedelta(days=1)) == "expired"


def test_withdrawn_has_the_cookie_name_nobody(account: Account, person: Profile) -> None:
    accounts.feed(account, "10101")
    known(account, named(coid="a"))
    tracked = [Named("tracked:10101", pseudonym("10101", "a"))]
    assert known(account, tracked) == [person.pk]

    withdraw(person, source="banner")

    assert {state(person, purpose) for purpose in consent.PURPOSES} == {"revoked"}
    assert known(account, named(coid="a"), tracked, named(userid=1, coid="a")) == [None, None, person.pk]
    record(person, "statistics", GRANTED)
    assert known(account, named(coid="a"), tracked) == [person.pk, person.pk]


def test_refuses_a_purpose_that_there_is_not(person: Profile) -> None:
    with pytest.raises(UnknownPurpose, match="one of statistics, personalisation, marketing; got 'fun'"):
        record(person, "fun", GRANTED)
