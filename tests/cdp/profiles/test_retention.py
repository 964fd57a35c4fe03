"""What is old ..."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from cdp.profiles import contributions, retention
from cdp.profiles.contributions import Said, append
from cdp.profiles.interactions import Did, record
from cdp.profiles.models import Account, Contribution, Interaction, Profile
from tests.cdp.profiles.conftest import identity

pytestmark = pytest.mark.django_db


def ago(days: int) -> int:
    return int((timezone.now() - timedelta(days=days)).timestamp()) * 1_000_000


def seen(account: Account, userid: int, *, days: int) -> int:
    one = identity(account, userid=userid)
    record(account, "x", [Did(identity=one, event="visit", ts=ago(days))])
    Profile.objects.filter(pk=one.profile_id).update(created_at=timezone.now() - timedelta(days=days))
    return one.profile_id


def test_goes_with_those_who_did_nothing_since(account: Account) -> None:
    seen(account, 1, days=800)
    both = seen(account, 2, days=800)
    seen(account, 2, days=700)
    described = seen(account, 3, days=800)
    append(contributions.source(account, "identify"), [Said(identity(account, userid=3), {"city": "Oslo"})])

    out = StringIO()
    call_command("cdp_purge", stdout=out)

    assert out.getvalue() == "3 interactions, 0 profiles were removed.\n"
    assert Interaction.objects.count() == 1
    assert set(Profile.objects.values_list("pk", flat=True)) == {both, described}


def test_goes_after_the_months_that_are_set(account: Account, settings: Any) -> None:
    seen(account, 1, days=70)
    assert retention.purge()["interactions"] == 0
    settings.CDP_INTERACTION_MONTHS = 2
    assert retention.purge()["interactions"] == 1


def test_goes_if_nobody_heard_of_the_person_and_that_is_set(account: Account, settings: Any) -> None:
    inactive = seen(account, 1, days=200)
    active = seen(account, 2, days=100)
    described = seen(account, 3, days=200)
    append(contributions.source(account, "identify"), [Said(identity(account, userid=3), {"city": "Oslo"})])
    assert retention.purge()["profiles"] == 0
    settings.CDP_INACTIVE_DAYS = 180
    assert retention.purge()["profiles"] == 1
    assert set(Profile.objects.values_list("pk", flat=True)) == {active, described}
    assert inactive not in {active, described}


def test_goes_of_generations_that_a_crash_left(account: Account) -> None:
    source = contributions.source(account, "flow")
    append(source, [Said(identity(account, userid=1), {"city": "Oslo"})])
    Contribution.objects.update(generation=0)
    type(source).objects.update(generation=2)
    retention.purge()
    assert not Contribution.objects.exists()
