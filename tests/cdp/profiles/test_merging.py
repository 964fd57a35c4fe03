"""Two people who turn out to be one ..."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp.audiences.models import Audience, AudienceMembership
from cdp.profiles import consent, contributions, merging
from cdp.profiles.contributions import Said, append
from cdp.profiles.interactions import Did, record
from cdp.profiles.merging import CannotPart, unmerge
from cdp.profiles.models import Account, Consent, Interaction, Profile, ProfileIdentifier, ProfileMerge
from cdp.profiles.people import find, identify
from tests.cdp.profiles.conftest import identity, known, named

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(account: Account) -> tuple[Profile, Profile]:
    """An older one with a cookie, a younger one with a user id; both did and are something."""
    source = contributions.source(account, "identify")
    older, younger = identity(account, coid="a"), identity(account, userid=1)
    append(source, [Said(older, {"city": "Oslo", "age": 3})], at=1)
    append(source, [Said(younger, {"city": "Bergen"})], at=2)
    record(account, "x", [Did(identity=older, event="visit", ts=1_000_000)])
    record(account, "x", [Did(identity=younger, event="buy", ts=9_000_000)])
    return older.profile, younger.profile


def join(account: Account) -> ProfileMerge:
    identity(account, userid=1, coid="a")
    return ProfileMerge.objects.latest("pk")


def state() -> list[Any]:
    profiles = Profile.objects.order_by("uuid").values_list(
        "uuid", "attributes", "last_seen", "created_at", "identifiers__kind"
    )
    return [*profiles, *Interaction.objects.order_by("ts").values_list("event", "profile__uuid")]


def test_keep_everything_of_both(account: Account, two: tuple[Profile, Profile]) -> None:
    join(account)
    [one] = Profile.objects.all()
    assert one.pk == two[0].pk
    assert one.attributes == {"city": "Bergen", "age": 3}
    assert one.last_seen == datetime.fromtimestamp(9, UTC)
    assert one.interactions.count() == one.identifiers.count() == 2


def test_are_parted_again_with_all_that_was_theirs(account: Account, two: tuple[Profile, Profile]) -> None:
    before = state()
    merge = join(account)
    loser = unmerge(merge)
    assert loser.uuid == two[1].uuid
    assert state() == before
    with pytest.raises(CannotPart, match="was undone on"):
        unmerge(merge)
    join(account)
    assert Profile.objects.count() == 1


def test_are_parted_from_whom_the_winner_became(account: Account, two: tuple[Profile, Profile]) -> None:
    [oldest] = known(account, named(email="old@example.org"))
    Profile.objects.filter(pk=oldest).update(created_at=timezone.now() - timedelta(days=9))
    merge = join(account)
    identity(account, coid="a", email="old@example.org")
    assert Profile.objects.count() == 1
    assert unmerge(merge).identifiers.get().kind == "userid"
    assert set(Profile.objects.get(pk=oldest).identifiers.values_list("kind", flat=True)) == {"coid", "email"}


def test_cannot_be_parted_once_the_names_are_gone(account: Account, two: tuple[Profile, Profile]) -> None:
    merge = join(account)
    ProfileIdentifier.objects.filter(kind="userid").delete()
    with pytest.raises(CannotPart, match="None of the names"):
        unmerge(merge)


def test_are_members_once(account: Account, two: tuple[Profile, Profile]) -> None:
    for number, members in enumerate((two, two[1:]), 1):
        audience = Audience.objects.create(
            account=account, name=f"A{number}", identifier=f"a{number}", definition={}
        )
        for profile in members:
            AudienceMembership.objects.create(
                audience=audience, profile=profile, joined_at=timezone.now(), sequence=1
            )
    merge = join(account)
    rows = AudienceMembership.objects.order_by("audience").values_list("audience__identifier", "profile")
    assert list(rows.all()) == [("a1", two[0].pk), ("a2", two[0].pk)]
    loser = unmerge(merge)
    assert list(rows.all()) == [("a1", two[0].pk), ("a2", loser.pk)]


@pytest.mark.parametrize(
    ("older", "younger", "both"),
    [
        ("granted", "denied", "denied"),
        ("denied", "granted", "denied"),
        ("revoked", "granted", "revoked"),
        ("granted", None, "granted"),
        (None, "granted", "granted"),
        (None, None, "absent"),
    ],
)
def test_refuse_together_what_one_refused(
    account: Account, two: tuple[Profile, Profile], older: str | None, younger: str | None, both: str
) -> None:
    for profile, status in zip(two, (older, younger), strict=True):
        if status:
            consent.record(profile, "marketing", Consent.Status(status))
    merge = join(account)
    assert consent.state(two[0], "marketing") == both
    loser = unmerge(merge)
    assert consent.state(two[0], "marketing") == (older or "absent")
    assert consent.state(loser, "marketing") == (younger or "absent")


def test_three_become_one_in_one_batch(account: Account, two: tuple[Profile, Profile]) -> None:
    known(account, named(email="c@example.org"))
    known(account, named(userid=1, coid="a"), named(coid="a", email="c@example.org"))
    assert Profile.objects.get().pk == two[0].pk
    assert ProfileMerge.objects.count() == 2
    for merge in ProfileMerge.objects.order_by("-pk"):
        unmerge(merge)
    assert Profile.objects.count() == 3


KINDS = ("userid", "coid", "email")
people = st.lists(
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 6)), min_size=1, max_size=3, unique=True),
    min_size=1,
    max_size=12,
)


def text(kind: str, number: int) -> str:
    return f"{number}@x.org" if kind == "email" else f"n{number}"


def components(persons: list[list[tuple[str, int]]]) -> set[frozenset[tuple[str, int]]]:
    """Naively: sets that meet become one until none do."""
    groups: list[set[tuple[str, int]]] = []
    for person in persons:
        met = [group for group in groups if group & set(person)]
        groups = [group for group in groups if group not in met] + [set(person).union(*met)]
    return {frozenset(group) for group in groups}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(persons=people, sizes=st.lists(st.integers(1, 5), min_size=12, max_size=12))
def test_the_names_that_are_connected_are_of_one_whatever_the_order_and_the_batches(
    account: Account, persons: list[list[tuple[str, int]]], sizes: list[int]
) -> None:
    Profile.objects.all().delete()
    rest = [[named(**{kind: text(kind, n)})[0] for kind, n in person] for person in persons]
    for size in sizes:
        batch, rest = rest[:size], rest[size:]
        if batch:
            identify(account, batch, reason="test")
    found: dict[int, set[tuple[str, int]]] = {}
    for kind, n in {name for person in persons for name in person}:
        profile = find(account, kind, text(kind, n))
        assert profile
        found.setdefault(profile.pk, set()).add((kind, n))
    assert {frozenset(group) for group in found.values()} == components(persons)
    assert Profile.objects.count() == len(found)


def test_a_person_has_no_row_of_the_loser_left_anywhere(
    account: Account, two: tuple[Profile, Profile]
) -> None:
    join(account)
    for model, column in merging.hanging():
        assert not model._default_manager.filter(**{column: two[1].pk}).exists(), model
