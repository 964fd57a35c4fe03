"""The lake in a bucket that several machines share ..."""

from __future__ import annotations

import shutil
import time

import pytest
from django.conf import settings

from config.faults import Fault
from config.jobs import local
from tests.tracking.test_lake import event
from tests.tracking.test_lake_bucket import TABLES, forget_copies, read
from tracking import lake, lake_calm, lake_files, lake_lock, lake_merge, lake_rewrite
from tracking.lake_rewrite import Change
from tracking.models import Event
from tracking.people import places
from tracking.people.spans import Span


@TABLES
def test_it_is_not_asked_each_minute_while_there_is_no_news(bucket, monkeypatch):
    asked: list[str] = []
    client = lake_files.storage().connection.meta.client
    client.meta.events.register("before-send.s3", lambda request, **_more: asked.append(request.url))
    Event.objects.bulk_create([event(n, customer_id=str(n % 3 + 1)) for n in range(6)])
    assert lake.archive() == 6
    assert asked
    asked.clear()
    assert [lake.archive() for _ in range(5)] == [0] * 5
    assert asked == []

    event(7).save()
    assert lake.archive() == 1, "news is seen at once"
    asked.clear()
    with monkeypatch.context() as later:
        later.setattr(lake_calm, "LOOK_EVERY_SECONDS", -1.0)
        lake.archive()
    assert asked, "what was done to it by hand is seen after a while"

    asked.clear()
    lake.archive()
    assert asked == []
    with lake_rewrite.locked():
        lake_rewrite.rewrite("1", Change(drop="item_id = '7'"), at_once=False)
    for _ in range(3):
        asked.clear()
        lake.archive()
        assert asked, "a part waits to go"


@TABLES
def test_it_forgets_a_person_on_every_machine_that_has_a_worker(bucket, monkeypatch):
    monkeypatch.setattr(local, "_due", {})
    Event.objects.bulk_create([event(1, user="me"), event(2, user="you"), event(3, customer_id="22")])
    lake.archive()
    other_machine = settings.LAKE_CACHE.with_name("other")
    shutil.copytree(settings.LAKE_CACHE, other_machine)
    places.Lake().erase([Span("1", "me")], at=time.time_ns() // 1000)
    lake_files.remove("customer=22/manifest.json")

    settings.LAKE_CACHE = other_machine
    monkeypatch.setattr(lake_merge, "LEFT_SECONDS", -1.0)
    (other_machine / f"customer=1/{lake_files.FETCHED}1-0").write_text("a killed process left it")
    assert local.run_due() >= 1

    assert {path.name for path in other_machine.rglob("*") if path.is_file()} == {".lock"}
    assert read() == [("2",)]
    assert local.run_due() == 0, "until an hour has passed"
    monkeypatch.setattr(local, "_due", dict.fromkeys(local._due, time.monotonic() - 1))
    local.run_due()
    assert len(list(other_machine.rglob("*.parquet"))) == 1, "what counts stays"


@TABLES
def test_it_has_one_writer_among_several_machines(bucket, tmp_path):
    event(1).save()
    with lake_rewrite.locked():
        settings.LAKE_CACHE = tmp_path / "other machine"
        if lake.connections[settings.EVENTS_DB].vendor != "postgresql":
            pytest.skip("several machines share a PostgreSQL")
        assert lake.archive() == 0
        with pytest.raises(lake_rewrite.LakeBusy), lake_rewrite.locked(patience=0.3):
            pass
    assert lake.archive() == 1


@TABLES
@pytest.mark.parametrize("left", [b"", b"PAR1 and no more", b"\0" * 900], ids=["empty", "cut", "zeros"])
def test_it_is_read_and_rewritten_although_a_copy_of_it_is_damaged(bucket, left):
    Event.objects.bulk_create([event(1, user="me"), event(2, user="you")])
    lake.archive()
    for look in (lambda: lake.files("1"), lambda: list(places.Lake().find([Span("1", "me")]))):
        for copy in settings.LAKE_CACHE.rglob("*.parquet"):
            copy.write_bytes(left)
        assert len(look()) == 1
    for copy in settings.LAKE_CACHE.rglob("*.parquet"):
        copy.write_bytes(left)
    assert places.Lake().erase([Span("1", "me")], at=time.time_ns() // 1000) == 1
    assert read() == [("2",)]


@TABLES
def test_it_names_a_part_that_is_damaged_in_the_bucket_itself(bucket):
    event(1).save()
    lake.archive()
    [part] = lake.files("1")
    lake_files.put_text("PAR1", f"customer=1/{part.parent.name}/{part.name}")
    forget_copies()
    with pytest.raises(Fault, match=r"is damaged \(no Parquet file\)"):
        lake.files("1")


@TABLES
@pytest.mark.parametrize("write", ["archive", "rewrite", "set aside", "remove stale"])
def test_it_is_left_alone_by_a_writer_whose_lock_was_lost(bucket, monkeypatch, write):
    if lake.connections[settings.EVENTS_DB].vendor != "postgresql":
        pytest.skip("several machines share a PostgreSQL: set DATABASE_URL")
    Event.objects.bulk_create([event(1, user="me"), event(2)])
    lake.archive()
    lake_files.put_text("?", f"customer=1/{lake.files('1')[0].parent.name}/1-1-0123abcd.parquet")
    before = bucket.names()
    event(3).save()
    erased = Change(drop="\"user\" = 'me'")
    writes = {
        "archive": lambda: lake.archive_alone(),
        "rewrite": lambda: lake_rewrite.rewrite("1", erased, at_once=False),
        "set aside": lambda: lake.set_aside("1"),
        "remove stale": lambda: lake_rewrite.remove_stale("customer=1", erased),
    }
    with lake_rewrite.locked():
        with lake.connections[settings.EVENTS_DB].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 20000) FROM pg_locks WHERE locktype = 'advisory' "
                "AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        with lake_lock.among_machines(0.0), pytest.raises(Fault, match="keeps other machines from writing"):
            writes[write]()
    assert bucket.names() == before
    assert read() == [("1",), ("2",)]
    assert lake.archive() == 1, "the next turn goes on"
