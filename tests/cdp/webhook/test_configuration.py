"""What the sites file says of activations, and what doctor says of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from cdp import checks, configuration
from cdp.models import BulkItem
from config import site_access
from config.checks import Finding
from personalization.segments.models import SegmentGroup
from tests.cdp.conftest import OTHER_SECRET, SECRET, SITES, Platform

pytestmark = pytest.mark.django_db(transaction=True)


def configured(sites: Path, text: str) -> configuration.Configuration:
    sites.write_text(text)
    site_access.reload()
    return configuration.current()


def test_it_reads_every_site_and_placeholders(sites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDP_SECRET", "from-the-environment")
    found = configured(sites, SITES.replace(SECRET, "'%env(CDP_SECRET)%'"))
    assert found.activations["mine"].client_secret == ("from-the-environment",)
    assert found.activations.keys() == {"mine", "theirs"}
    assert configuration.filled_groups() == {"audiences", "others"}
    assert SECRET not in repr(found)


@pytest.mark.case("B05")
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("client_id: theirs", "client_id: mine", "another activation has the client id 'mine'"),
        (
            f"client_secret: {SECRET},",
            "",
            "cdp.activations.0.client_secret of site 'site_en': Field required.",
        ),
        ("threshold: 100", "threshold: 0", "bulk_async_threshold must be a whole number from 1 on; got '0'"),
        ("threshold: 100", "threshold: many", "bulk_async_threshold must be a whole number"),
        (SECRET, "'%env(NOT_SET_ANYWHERE)%'", "NOT_SET_ANYWHERE"),
        ("123456", "no", "cdp.account_number of site 'site_en'"),
    ],
)
def test_it_names_what_is_wrong_with_it(sites: Path, old: str, new: str, says: str) -> None:
    found = configured(sites, SITES.replace(old, new, 1))
    assert any(says in fault for fault in found.faults), found.faults
    assert any(says in one.text and not one.well for one in checks.configured())
    assert SECRET not in "".join(found.faults)
    assert found.threshold == 100
    assert "theirs" in found.activations or "mine" in found.activations


def test_the_threshold_is_the_files(sites: Path, platform: Platform, users: list[int]) -> None:
    configured(sites, SITES.replace("threshold: 100", "threshold: 2"))
    assert platform.send(("add", "a", users[0])).status_code == 200
    assert platform.send(("add", "a", users[0]), ("add", "a", users[1])).status_code == 202


def doctor() -> list[Finding]:
    return [found for found in (*checks.configured(), *checks.queue()) if not found.well]


def test_doctor_says_what_is_missing(
    sites: Path, group: SegmentGroup, platform: Platform, users: list[int], settings: Any
) -> None:
    assert doctor() == []
    group.delete()
    assert "'audiences' does not exist" in doctor()[0].text
    demo = configuration.Activation
    configured(
        sites, SITES.replace(SECRET, "short").replace(OTHER_SECRET, "demo-secret-for-local-use-only-0000")
    )
    assert demo
    texts = " ".join(one.text for one in doctor())
    assert "shorter than 32 characters" in texts
    settings.DEBUG = False
    assert [one.about for one in doctor() if one.refused] == ["activation theirs"]
    settings.DEBUG = True
    assert not [one for one in doctor() if one.refused]


def test_doctor_asks_for_the_worker(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "a", one) for one in users[:100]])
    assert doctor() == []
    BulkItem.objects.update(created_at=timezone.now() - timedelta(minutes=20))
    assert "Is the worker running?" in doctor()[0].remedy
