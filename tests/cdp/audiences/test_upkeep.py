"""What is kept of calculations, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cdp.audiences import upkeep
from cdp.audiences.models import AudienceRun, MembershipChange
from tests.cdp.audiences.conftest import Make
from tests.cdp.audiences.documents import did, group
from tests.cdp.audiences.population import Population

pytestmark = pytest.mark.django_db


def test_it_keeps_the_newest_hundred_runs_and_those_of_ninety_days(make: Make) -> None:
    busy, quiet = make("Busy", group(did("buy"))), make("Quiet", group(did("buy")))
    now = timezone.now()
    for audience, count in ((busy, 103), (quiet, 2)):
        AudienceRun.objects.bulk_create(
            AudienceRun(audience=audience, sequence=number, as_of=now) for number in range(count)
        )
    AudienceRun.objects.exclude(audience=busy, sequence=2).update(started_at=now - timedelta(days=91))
    upkeep.forget_old()
    assert busy.runs.count() == 101
    assert not busy.runs.filter(sequence__in=[0, 1]).exists()
    assert quiet.runs.count() == 2


def test_it_keeps_who_joined_and_left_for_25_months(make: Make, population: Population) -> None:
    audience, profile = make("Buyers", group(did("buy"))), population.people["P1"]
    for days in (730, 762):
        MembershipChange.objects.create(
            audience=audience,
            profile=profile,
            joined=True,
            sequence=days,
            at=timezone.now() - timedelta(days=days),
        )
    upkeep.forget_old()
    assert [one.sequence for one in MembershipChange.objects.all()] == [730]
