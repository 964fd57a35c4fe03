"""A calculation brings the members to who fits, and says who joined and left (`cdp.md` 3.4, A29-A35)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cdp.audiences import changes
from cdp.audiences.calculate import LEASE, begin, calculate
from cdp.audiences.faults import Busy, CannotCalculate
from cdp.audiences.models import Audience, AudienceMembership, AudienceRun, MembershipChange
from cdp.audiences.preview import preview, refresh
from cdp.audiences.signals import calculated
from cdp.profiles import people
from cdp.profiles.models import Account, Consent, Insight, Profile
from cdp.profiles.names import Named
from tests.cdp.audiences.conftest import Make
from tests.cdp.audiences.documents import did, did_not, group, have, last, member
from tests.cdp.audiences.population import Population, at

pytestmark = pytest.mark.django_db
NOW = at("2025-05-01T12:00:00Z")
BUYERS = group(did("buy"))


class Hook:
    """Does something the moment before a statement."""

    def __init__(self, start: str, action: Any) -> None:
        self.start, self.action = start, action

    def __call__(self, execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if sql.startswith(self.start):
            self.action()
        return execute(sql, params, many, context)


def members(audience: Audience, population: Population) -> str:
    return population.names(audience.memberships.values_list("profile_id", flat=True))


def test_it_makes_members_of_who_fits(make: Make, population: Population) -> None:
    audience = make("Buyers", BUYERS)
    run = calculate(audience, as_of=NOW)
    assert members(audience, population) == "P1 P5"
    assert (run.state, run.count, run.joined, run.left, run.sequence) == ("done", 2, 2, 0, 1)
    assert (audience.profile_count, audience.calculated_at, audience.sequence) == (2, NOW, 1)
    assert not audience.is_stale
    assert (audience.lease_owner, audience.lease_until) == ("", None)


def test_it_notes_only_who_joined_and_left(make: Make, population: Population) -> None:
    audience = make("Buyers", BUYERS)
    calculate(audience, as_of=NOW)
    population.did("P4", "buy", "2025-05-01T12:00:00Z")
    changes.save(audience, definition=group(did("buy", window=last(30, "day"))))
    run = calculate(audience, as_of=NOW + timedelta(seconds=1))
    assert members(audience, population) == "P1 P4"
    assert (run.joined, run.left, run.count) == (1, 1, 2)
    noted = MembershipChange.objects.filter(sequence=2).order_by("joined")
    assert [(one.joined, population.names([one.profile_id])) for one in noted] == [
        (False, "P5"),
        (True, "P4"),
    ]
    assert AudienceMembership.objects.get(profile=population.people["P1"]).sequence == 1


def test_it_changes_nothing_when_it_is_repeated(make: Make) -> None:
    audience = make("Buyers", BUYERS)
    calculate(audience, as_of=NOW)
    rows = list(AudienceMembership.objects.order_by("pk").values())
    run = calculate(audience, as_of=NOW)
    assert (run.sequence, run.joined, run.left) == (2, 0, 0)
    assert list(AudienceMembership.objects.order_by("pk").values()) == rows
    assert MembershipChange.objects.count() == 2


def test_it_takes_nested_audiences_as_they_are_now_not_as_they_were_stored(
    make: Make, population: Population
) -> None:
    make("Buyers", BUYERS)
    others = make("Others", group(member("buyers", is_in=False)))
    calculate(others, as_of=NOW)
    assert members(others, population) == "P2 P3 P4"


def test_it_tells_others_when_the_members_are_committed(
    make: Make, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[tuple[int, int, int]] = []

    def hear(*, audience: int, sequence: int, **_signal: Any) -> None:
        heard.append((audience, sequence, AudienceMembership.objects.count()))

    calculated.connect(hear)
    try:
        audience = make("Buyers", BUYERS)
        with django_capture_on_commit_callbacks(execute=True):
            calculate(audience, as_of=NOW)
    finally:
        calculated.disconnect(hear)
    assert heard == [(audience.pk, 1, 2)]


def test_it_asks_for_consent_in_force_where_there_is_a_purpose(make: Make, population: Population) -> None:
    def said(name: str, status: str, days: int, **more: Any) -> None:
        Consent.objects.create(
            profile=population.people[name],
            purpose="marketing",
            status=status,
            given_at=NOW - timedelta(days=days),
            **more,
        )

    said("P1", "granted", 3)
    said("P2", "granted", 3)
    said("P2", "revoked", 1)
    said("P3", "granted", 3, expires_at=NOW)
    said("P4", "denied", 3)
    said("P4", "granted", 2, expires_at=NOW + timedelta(seconds=1))
    said("P5", "granted", -1)  # not yet
    audience = make("All", group(did_not("rate")), purpose="marketing")
    calculate(audience, as_of=NOW)
    assert members(audience, population) == "P1 P4"
    outer = make("Outer", group(member("all", is_in=False)))
    calculate(outer, as_of=NOW)
    assert members(outer, population) == "P2 P3 P5"


@pytest.mark.case("A29")
def test_it_only_counts_when_it_is_refreshed(make: Make) -> None:
    audience = make("Buyers", BUYERS)
    assert refresh(audience).count == 2
    audience.refresh_from_db()
    assert (audience.local_count, audience.profile_count, audience.sequence) == (2, None, 0)
    assert audience.local_calculated_at is not None
    assert audience.calculated_at is None
    assert not AudienceRun.objects.exists()
    assert not AudienceMembership.objects.exists()


def test_it_previews_every_node(account: Account) -> None:
    document = group(did("visit"), group(have("country", "eq", "dk"), did_not("buy")))
    found = preview(account, document, as_of=NOW)
    assert (found.count, found.total, found.percent) == (0, 5, 0.0)
    assert found.per_node == {
        "": 0,
        "/children/0": 3,
        "/children/1": 0,
        "/children/1/children/0": 2,
        "/children/1/children/1": 3,
    }


@pytest.mark.case("A35")
def test_it_counts_2500_profiles_to_the_last(make: Make, account: Account) -> None:
    Profile.objects.bulk_create(
        [Profile(account=account, attributes={"country": "fr"}) for _ in range(2_500)], batch_size=500
    )
    audience = make("French", group(have("country", "eq", "FR")))
    run = calculate(audience)
    assert (run.count, audience.profile_count, audience.memberships.count()) == (2_500, 2_500, 2_500)


def test_it_keeps_the_members_when_it_fails(make: Make, population: Population) -> None:
    audience = make("Buyers", BUYERS)
    calculate(audience, as_of=NOW)
    # Somebody has written into the table by hand.
    Audience.objects.update(definition=group(did("buy", window=last(0, "day"))))
    with pytest.raises(CannotCalculate, match="n must be a whole number"):
        calculate(audience, as_of=NOW + timedelta(days=1))
    audience.refresh_from_db()
    assert members(audience, population) == "P1 P5"
    assert (audience.profile_count, audience.calculated_at, audience.sequence) == (2, NOW, 1)
    assert audience.lease_owner == ""
    run = audience.runs.latest("pk")
    assert run.state == "failed"
    assert "n must be a whole number" in run.error
    insight = Insight.objects.get(code="audience_failed", subject="buyers")
    assert "Buyers could not be calculated" in insight.message
    Audience.objects.update(definition=BUYERS)
    calculate(audience, as_of=NOW)
    insight.refresh_from_db()
    assert insight.closed_at is not None


@pytest.mark.case("A33")
def test_it_keeps_the_members_when_it_breaks_off_half_way(make: Make, population: Population) -> None:
    audience = make("Buyers", BUYERS)
    calculate(audience, as_of=NOW)
    changes.save(audience, definition=group(did("visit")))

    def crash() -> None:
        raise RuntimeError("half-way")

    # Those who left are out and noted already.
    with (
        connection.execute_wrapper(Hook("\n    INSERT INTO audiences_audiencemembership", crash)),
        pytest.raises(CannotCalculate, match="half-way"),
    ):
        calculate(audience, as_of=NOW + timedelta(days=1))
    audience.refresh_from_db()
    assert members(audience, population) == "P1 P5"
    assert (audience.calculated_at, audience.sequence, audience.lease_owner) == (NOW, 1, "")
    assert not MembershipChange.objects.filter(sequence=2).exists()
    assert Insight.objects.get(code="audience_failed").closed_at is None


def test_it_leaves_an_audience_to_who_calculates_it(make: Make) -> None:
    audience = make("Buyers", BUYERS)
    begin(audience, as_of=NOW, trigger=AudienceRun.Trigger.MANUAL)
    with pytest.raises(Busy):
        calculate(Audience.objects.get(), as_of=NOW)


@pytest.mark.case("A33")
def test_it_takes_over_what_was_left_for_an_hour(make: Make, population: Population) -> None:
    audience = make("Buyers", BUYERS)
    stuck = begin(audience, as_of=NOW, trigger=AudienceRun.Trigger.SCHEDULE)
    Audience.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    other = Audience.objects.get()
    calculate(other, as_of=NOW)
    assert members(other, population) == "P1 P5"
    stuck.refresh_from_db()
    assert stuck.state == "failed"
    assert f"{LEASE // timedelta(minutes=1)} minutes" in stuck.error


def test_it_writes_nothing_once_another_has_taken_over(make: Make, population: Population) -> None:
    audience = make("Buyers", BUYERS)

    def hang(*_arguments: Any, **_keywords: Any) -> Any:
        Audience.objects.update(lease_owner="somebody else")
        return 1

    hook = Hook("INSERT INTO audience_fits", hang)
    with connection.execute_wrapper(hook), pytest.raises(CannotCalculate, match="taken over"):
        calculate(audience, as_of=NOW)
    assert members(audience, population) == ""
    assert not MembershipChange.objects.exists()
    assert Audience.objects.get().lease_owner == "somebody else"


def test_it_calculates_no_archived_audience(make: Make) -> None:
    audience = make("Buyers", BUYERS)
    changes.archive(audience)
    with pytest.raises(Busy, match="archived"):
        calculate(audience, as_of=NOW)


def test_it_stays_stale_when_the_rule_was_saved_meanwhile(make: Make) -> None:
    audience = make("Buyers", BUYERS)

    def save() -> None:
        changes.save(Audience.objects.get(), definition=group(did("visit")))

    with connection.execute_wrapper(Hook("INSERT INTO audience_fits", save)):
        calculate(audience, as_of=NOW)
    audience.refresh_from_db()
    assert (audience.version, audience.is_stale, audience.profile_count) == (2, True, 2)


def test_it_makes_one_member_of_two_people_who_become_one(make: Make, account: Account) -> None:
    first, second, visitor = ([Named("userid", name)] for name in ("7", "8", "9"))
    identities = people.identify(account, [first, second, visitor], reason="test")
    profiles = [one.profile for one in identities if one is not None]
    for one in profiles[:2]:
        one.attributes = {"country": "fr"}
        one.save()
    audience = make("French", group(have("country", "eq", "fr")))
    calculate(audience, as_of=NOW)
    assert audience.memberships.count() == 2
    people.identify(account, [[*first, *second], [*visitor, *second]], reason="test")
    assert list(audience.memberships.values_list("profile_id", flat=True)) == [profiles[0].pk]


def test_it_forgets_members_who_are_erased(make: Make, population: Population) -> None:
    audience = make("Buyers", BUYERS)
    calculate(audience, as_of=NOW)
    population.people["P1"].delete()
    assert audience.memberships.count() == 1
    run = calculate(audience, as_of=NOW)
    assert (run.count, run.joined, run.left) == (1, 0, 0)


def test_it_survives_a_profile_that_goes_while_it_is_calculated(make: Make, population: Population) -> None:
    audience = make("Buyers", BUYERS)
    with connection.execute_wrapper(
        Hook(
            "\n    INSERT INTO audiences_membershipchange",
            lambda: Profile.objects.filter(pk=population.people["P1"].pk).delete(),
        )
    ):
        run = calculate(audience, as_of=NOW)
    assert (run.count, run.joined) == (1, 1)
