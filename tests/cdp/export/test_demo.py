"""The demo's part of a customer data platform."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.contrib.auth.models import User

from cdp import checks, configuration, demo
from config import site_access
from personalization.demo import build
from personalization.segments.models import SegmentGroup
from tests.cdp.export.conftest import Receiver, run


@pytest.mark.django_db
@pytest.mark.usefixtures("sites")
def test_it_makes_people_whom_an_export_can_tell_of(receiver: Receiver) -> None:
    User.objects.create(username="ben", email="ben@example.org")
    [step] = [one for one in build.steps() if one.run is demo.make_people]
    assert step.run(lambda _text: None) == "40 people"
    step.run(lambda _text: None)
    assert User.objects.count() == 41
    run("stream_user_data", "--no-draft")
    rows = {row["email"]: row for row in receiver.rows}
    assert "country" not in rows["ben@example.org"]
    people = [row for email, row in rows.items() if email.endswith(demo.DOMAIN)]
    assert people[0]["country"] == "DK"
    assert people[0]["date_of_birth"] == "1955-03-01"
    assert set(Counter(row["country"] for row in people)) == set(demo.COUNTRIES)
    assert len({row["date_of_birth"] for row in people}) == len(people)
    assert max(row["date_of_birth"] for row in people) < "2007"
    assert not User.objects.get(email=people[0]["email"]).has_usable_password()


@pytest.mark.django_db
def test_its_sites_file_has_a_part_that_nobody_else_may_use(settings: Any) -> None:
    site_access.reload()
    part = configuration.current().sites["site_en"]
    assert part.account_number == 123456
    settings.DEBUG = True
    assert [found for found in checks.configured() if not found.well] == []
    settings.DEBUG = False
    missing, secret = (found.text for found in checks.configured() if not found.well)
    assert "segment group 'cdp_audiences' does not exist" in missing
    assert "it has the demo's secret" in secret
    SegmentGroup.objects.create(identifier="cdp_audiences", name="Audiences")
    assert len([found for found in checks.configured() if not found.well]) == 1
