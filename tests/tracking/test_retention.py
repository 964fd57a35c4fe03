"""Events whose time is over ..."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import checks, environment, site_access
from config.customers.directory import directory, from_sites_file, shortest
from config.site_access.schema import Kept
from tracking import lake, retention
from tracking.events import RULES
from tracking.models import Cursor, Event, IdentityEdge
from tracking.people import places
from tracking.people.spans import Span

TABLES = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])
DAY = 86_400_000_000
SITES = """
personalization:
  system:
    one:
      authentication: {{ customer_id: 501, license_key: a }}
      tracking: {{ retention: {retention} }}
    two: {{ authentication: {{ customer_id: 502, license_key: b }} }}
"""


@pytest.fixture
def kept(tmp_path, settings):
    """Writes the retention of customer 501; 502 has none of its own."""
    settings.LAKE_ROOT = tmp_path / "lake"

    def write(retention: str, **everybody: int) -> None:
        settings.RETENTION = everybody
        settings.LODESTAR_SITES_FILE = tmp_path / "sites.yaml"
        settings.LODESTAR_SITES_FILE.write_text(SITES.format(retention=retention))
        site_access.reload()
        directory.forget()

    before = settings.LODESTAR_SITES_FILE
    yield write
    settings.LODESTAR_SITES_FILE = before
    site_access.reload()


def event(days: float, code: str = "click", customer: str = "501", **changes) -> Event:
    ts = time.time_ns() // 1000 - int(days * DAY)
    values = {"customer_id": customer, "event": code, "user": "u", "item_type": 1, "ts": ts, "received": ts}
    return Event(**values | {"item_id": f"{code}-{days:g}"} | changes)


def left(customer: str = "501") -> tuple[list[str], list[str]]:
    """What the table and the lake hold."""
    rows = Event.objects.filter(customer_id=customer).order_by("pk").values_list("item_id", flat=True)
    return list(rows), sorted(one["item_id"] for one in places.Lake().find([Span(customer, "u")]))


@TABLES
def test_go_from_the_table_and_from_the_lake(kept):
    kept("{click: 10, rendered: 2, default: 30}")
    days = [("click", 1), ("click", 12), ("rendered", 1), ("rendered", 4), ("buy", 12), ("buy", 32)]
    Event.objects.bulk_create(event(age, code, customer) for code, age in days for customer in ("501", "502"))
    lake.archive()
    before = set(settings.LAKE_ROOT.rglob("*.parquet"))

    assert retention.forget_old() == 6

    rows, parts = left()
    assert rows == ["click-1", "rendered-1", "buy-12"]
    assert parts == sorted(rows)
    assert len(left("502")[0]) == len(left("502")[1]) == 6
    assert lake.read_manifest(lake.folder_of("501")).rows == 3
    assert before <= set(settings.LAKE_ROOT.rglob("*.parquet")), "readers may have them open"


@TABLES
def test_stay_until_their_day_is_over(kept):
    kept("{default: 10}")
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=10)
    border = int(midnight.timestamp()) * 1_000_000
    Event.objects.bulk_create(event(0, item_id=str(n), ts=border + n) for n in (-1, 0, 1))
    retention.forget_old()
    assert left()[0] == ["0", "1"]


@TABLES
def test_stay_for_ever_without_a_setting(kept):
    kept("{}")
    event(9_000).save()
    assert retention.forget_old() == 0
    assert left()[0] == ["click-9000"]
    assert not Cursor.objects.exists()


@TABLES
def test_go_for_customers_without_a_setting_of_their_own_too(kept):
    kept("{click: 100}", click=10, default=20)
    for age, code in ((15, "click"), (15, "buy"), (25, "click"), (25, "buy")):
        Event.objects.bulk_create(event(age, code, who) for who in ("501", "502", "gone"))
    retention.forget_old()
    assert left()[0] == ["click-15", "buy-15", "click-25"]
    assert left("502")[0] == left("gone")[0] == ["buy-15"]


@TABLES
def test_go_in_small_batches_and_turns(kept, monkeypatch):
    kept("{default: 10}")
    Event.objects.bulk_create(event(20 if n % 2 else 1) for n in range(50))
    monkeypatch.setattr(retention, "ROWS", 7)
    monkeypatch.setattr(retention, "LONGEST_SECONDS", -1.0)
    assert retention.forget_old() in (3, 4)
    reached = Cursor.objects.get(name="retention").last_id
    assert reached > 0
    monkeypatch.setattr(retention, "LONGEST_SECONDS", 60.0)
    retention.forget_old()
    assert len(left()[0]) == 25
    assert Cursor.objects.get(name="retention").last_id == 0
    event(20).save()
    assert retention.forget_old() == 0, "once a day is enough"
    Cursor.objects.update(updated_at=datetime.now(UTC) - timedelta(hours=21))
    assert retention.forget_old() == 1


@TABLES
def test_take_the_logins_with_them_that_nothing_needs(kept):
    kept("{click: 10, default: 30}")
    now = time.time_ns() // 1000
    for who in ("501", "502"):
        for days in (20, 40):
            IdentityEdge.objects.create(customer_id=who, source=f"{days}", target="t", ts=now - days * DAY)
    retention.forget_old()
    assert sorted(IdentityEdge.objects.values_list("customer_id", "source")) == [
        ("501", "20"),
        ("502", "20"),
        ("502", "40"),
    ]


@TABLES
def test_stay_in_a_lake_that_somebody_else_writes_to(kept, monkeypatch):
    from config.files import hold

    kept("{default: 10}")
    event(20).save()
    lake.archive()
    monkeypatch.setattr(retention, "LAKE_PATIENCE", 0.0)
    with hold(settings.LAKE_ROOT / ".lock"):
        assert retention.forget_old() == 1
    assert left() == ([], ["click-20"])


def test_are_named_by_the_sites_file_as_they_are_tracked():
    assert set(get_args(Kept)) == {"default", *RULES}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "retention",
    ["{clik: 3}", "{click: 0}", "{click: -1}", "{click: 1.5}", "{click: x}", "7", "{click: 40000}"],
)
def test_are_not_kept_by_a_rule_that_makes_no_sense(kept, retention):
    with pytest.raises(site_access.SitesFileError, match=r"tracking\.retention\S* of site 'one' must be"):
        kept(retention)


@pytest.mark.parametrize(
    ("text", "days"),
    [("730", {"default": 730}), ("click=400, default=730", {"click": 400, "default": 730}), ("", {})],
)
def test_are_kept_as_the_environment_says(text, days, monkeypatch):
    monkeypatch.setenv("LODESTAR_RETENTION_DAYS", text)
    assert environment.env_days("LODESTAR_RETENTION_DAYS") == days


@pytest.mark.parametrize(
    "text", ["x", "0", "click=", "click=1.5", "99999", "1,2", "click=1,click=2", "\u0663"]
)
def test_are_not_kept_by_an_environment_that_makes_no_sense(text, monkeypatch):
    monkeypatch.setenv("LODESTAR_RETENTION_DAYS", text)
    with pytest.raises(ImproperlyConfigured, match="LODESTAR_RETENTION_DAYS"):
        environment.env_days("LODESTAR_RETENTION_DAYS")


def test_are_kept_as_long_as_the_strictest_site_says():
    one, other = {"click": 400, "default": 730}, {"rendered": 30, "default": 500, "click": 600}
    assert shortest(one, other) == {"click": 400, "rendered": 30, "default": 500}
    assert shortest({"click": 5}, {"buy": 6}) == {"click": 5, "buy": 6}
    assert shortest({"click": 5}, {"default": 3}) == {"click": 3, "default": 3}
    assert shortest({}, {"default": 3}) == {"default": 3}


@pytest.mark.django_db(databases="__all__")
def test_are_shown_by_the_doctor(kept, settings):
    kept("{click: 400, default: 730}")
    said = {finding.text for finding in checks.examine() if finding.about == "retention"}
    assert said == {
        "customer 501: click 400 days, other events 730 days",
        "customer 502: all events for ever",
    }
    kept("{click: 400}", clik=3)
    assert any("clik" in finding.text for finding in checks.examine() if not finding.well)
    assert {one.customer_id: one.retention for one in from_sites_file()}["501"] == {"click": 400, "clik": 3}
