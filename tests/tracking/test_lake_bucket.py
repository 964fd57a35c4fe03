"""The lake in a bucket ..."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta

import duckdb
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from config import checks, lake_storage
from config.faults import Fault
from config.jobs import schedule
from config.jobs.models import Periodic
from tests.ports import free_port
from tests.tracking import s3_server
from tests.tracking.test_lake import DAY, event
from tracking import lake, lake_files, lake_merge, lake_rewrite, parts
from tracking.lake_rewrite import Change
from tracking.models import Event
from tracking.people import places
from tracking.people.spans import Span

TABLES = pytest.mark.django_db(transaction=True, databases=["default", settings.EVENTS_DB])


def read(what: str = "item_id", customer: str = "1") -> list:
    names = [str(path) for path in lake.files(customer)]
    return duckdb.sql(f"SELECT {what} FROM read_parquet({names}) ORDER BY id").fetchall() if names else []


def forget_copies() -> None:
    """As on another machine."""
    shutil.rmtree(settings.LAKE_CACHE)


@TABLES
def test_it_holds_every_event_once(bucket):
    Event.objects.bulk_create([event(n, ts=event().ts + n * DAY) for n in range(3)])
    assert lake.archive() == 3
    Event.objects.bulk_create([event(9), event(1, customer_id="22")])
    assert lake.archive() == 2
    assert lake.archive() == 0
    forget_copies()
    assert read() == [(str(n),) for n in (0, 1, 2, 9)]
    assert read(customer="22") == [("1",)]
    assert lake.customers() == ["1", "22"]
    assert lake.files("nobody") == []
    assert all(key.startswith("lodestar/lake/customer=") for key in bucket.names())
    assert not settings.LAKE_ROOT.exists()


@TABLES
def test_it_merges_days_and_lets_old_parts_and_copies_go(bucket, monkeypatch):
    monkeypatch.setattr(lake_merge, "MOST_PARTS_A_DAY", 3)
    for number in range(5):
        event(number).save()
        lake.archive()
    assert len(lake.files("1")) < len([key for key in bucket.names() if key.endswith(".parquet")])
    monkeypatch.setattr(lake_merge, "GRACE_SECONDS", -1.0)
    lake.archive()
    counted = {path.name for path in lake.files("1")}
    assert {key.rpartition("/")[2] for key in bucket.names() if key.endswith(".parquet")} == counted
    assert {path.name for path in settings.LAKE_CACHE.rglob("*.parquet")} == counted
    assert read() == [(str(n),) for n in range(5)]


@TABLES
def test_it_forgets_a_person_in_the_bucket_and_in_the_copies_of_every_machine(bucket):
    Event.objects.bulk_create([event(1, user="me"), event(2, user="you")])
    lake.archive()
    other_machine = settings.LAKE_CACHE.with_name("other")
    shutil.copytree(settings.LAKE_CACHE, other_machine)
    assert [row["item_id"] for row in places.Lake().find([Span("1", "me")])] == ["1"]

    assert places.Lake().erase([Span("1", "me")], at=time.time_ns() // 1000) == 1

    assert list(places.Lake().find([Span("1", "me")])) == []
    forget_copies()
    other_machine.rename(settings.LAKE_CACHE)
    assert read() == [("2",)]
    copies = [str(path) for path in settings.LAKE_CACHE.rglob("*.parquet")]
    assert duckdb.read_parquet(copies).count("*").fetchall() == [(1,)]


@TABLES
def test_it_lets_old_rows_go_and_keeps_the_part_for_readers(bucket):
    Event.objects.bulk_create([event(1, ts=5), event(2, ts=7)])
    lake.archive()
    with lake_rewrite.locked():
        assert lake_rewrite.rewrite("1", Change(drop="ts < 6"), at_once=False) == 1
    assert read() == [("2",)]
    assert parts.read_manifest("customer=1").rows == 1
    assert len([key for key in bucket.names() if key.endswith(".parquet")]) == 2


@TABLES
def test_it_removes_what_a_crash_left_and_nothing_of_others(bucket, monkeypatch):
    event(1).save()
    lake.archive()
    part = lake.files("1")[0]
    day = f"customer=1/{part.parent.name}"
    for name in (f"{day}/1-1-0123abcd.parquet", f"{day}/notes.parquet", f"{day}/notes.txt"):
        lake_files.put_text("?", name)
    monkeypatch.setattr(lake_merge, "LEFT_SECONDS", -1.0)
    lake_merge.sweep()
    left = {key.rpartition("/")[2] for key in bucket.names()}
    assert left == {"manifest.json", part.name, "notes.parquet", "notes.txt"}


@TABLES
def test_it_is_learned_from(bucket):
    from personalization.server.learning import events

    Event.objects.bulk_create([event(n, user=f"u{n % 2}") for n in range(6)])
    lake.archive()
    forget_copies()
    with events.opened(lake.files("1"), codes=["click"], window_days=30) as history:
        assert history.events == 6


# --- What goes wrong ------------------------------------------------------------------------------


def everything_fails(sentence: str) -> None:
    """Each way to the lake answers with a Fault that says why, and the doctor says it too."""
    ways = (
        lake.archive,
        lake.customers,
        lambda: lake.files("1"),
        lambda: list(places.Lake().find([Span("1", "u")])),
        lambda: places.Lake().erase([Span("1", "u")], at=1),
    )
    for way in ways:
        with pytest.raises(Fault, match=sentence):
            way()
    found = [one for one in checks.examine() if one.about == "lake"]
    assert [one.well for one in found] == [False]
    assert found[0].text.startswith("The lake was not read: ")


@TABLES
def test_it_names_a_bucket_that_is_not_there(bucket):
    event(1).save()
    bucket.use("s3://nowhere/lake")
    everything_fails(
        r"there is no bucket for s3://nowhere/lake \(\w+\)\. Create it, or correct LODESTAR_LAKE_URL\."
    )


@TABLES
def test_it_names_wrong_credentials(bucket, s3, monkeypatch):
    import requests

    event(1).save()
    requests.post(f"{s3}/moto-api/reset-auth", data="0", timeout=20)
    try:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAWRONG")
        bucket.use()
        everything_fails(
            r"refused the credentials \(\w+\)\. Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    finally:
        requests.post(f"{s3}/moto-api/reset-auth", data="inf", timeout=20)


@TABLES
def test_it_keeps_events_while_its_server_is_down_and_catches_up(settings, tmp_path, bucket):
    port = free_port()
    bucket.use(endpoint=f"http://127.0.0.1:{port}")
    event(1).save()
    everything_fails(rf"cannot be reached at http://127\.0\.0\.1:{port} \(\w+\)\. Start it")
    schedule.run(schedule._entries["tracking.lake"])
    assert "cannot be reached" in Periodic.objects.get(name="tracking.lake").error
    assert Event.objects.count() == 1

    with s3_server.s3_server(port) as endpoint:
        s3_server.empty(endpoint)
        Periodic.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        assert schedule.run(schedule._entries["tracking.lake"])
        assert Periodic.objects.get(name="tracking.lake").error == ""
        assert read() == [("1",)]
        assert [one.text for one in checks.examine() if one.about == "lake"] == [
            "s3://events/lodestar/lake holds events of 1 customers"
        ]


@pytest.mark.parametrize(
    "url",
    ["s3:/x", "s3://", "s3://B/x", "http://bucket/x", "/var/lake", "s3://bucket/x?y=1", "s3://a:pass@word/x"],
)
def test_it_refuses_an_address_that_makes_no_sense(url):
    with pytest.raises(
        ImproperlyConfigured, match=r"LODESTAR_LAKE_URL must look like s3://bucket/prefix"
    ) as caught:
        lake_storage.lake_storage(url)
    assert "pass" not in str(caught.value)


def test_it_is_a_folder_without_an_address():
    assert lake_storage.lake_storage("") == {"BACKEND": "config.whole_files.LakeFolder"}
