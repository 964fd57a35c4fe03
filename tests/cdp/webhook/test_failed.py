"""Items that cannot be applied fail alone, are tried again, and wait for a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from cdp.models import BulkBatch, BulkItem
from cdp.webhook import failed, queue
from config.jobs import queue as jobs
from config.jobs.models import Job
from personalization.segments.models import Segment
from tests.cdp.conftest import Platform
from tests.cdp.webhook.state import members, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refused(users: list[int]) -> Iterator[int]:
    """A user whom the database lets into no segment."""
    if connection.vendor == "postgresql":
        make = f"""
            CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN
                IF NEW.user_id = {users[0]} THEN
                    RAISE EXCEPTION 'no' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE TRIGGER refused BEFORE INSERT ON segments_membership
                FOR EACH ROW EXECUTE FUNCTION refuse();
        """
        drop = "DROP TRIGGER refused ON segments_membership; DROP FUNCTION refuse();"
    else:
        make = f"""
            CREATE TRIGGER refused BEFORE INSERT ON segments_membership WHEN NEW.user_id = {users[0]}
            BEGIN SELECT RAISE(ABORT, 'no'); END
        """
        drop = "DROP TRIGGER refused"
    run(make)
    yield users[0]
    run(drop)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def due_now() -> None:
    BulkItem.objects.update(available_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.case("B09")
def test_an_item_that_the_database_refuses_is_tried_four_times(
    platform: Platform, users: list[int], refused: int
) -> None:
    batch = platform.send(*[("add", "a", one) for one in users[:100]]).json()["batch"]
    for seconds in (1, 2, 4):
        before = timezone.now()
        assert queue.step("mine") in (1, 100)
        item = BulkItem.objects.get()
        assert (item.user, item.status) == (refused, "queued")
        pause = timedelta(seconds=seconds)
        assert before + pause <= item.available_at <= timezone.now() + pause
        BulkItem.objects.update(available_at=timezone.now() + timedelta(hours=1))
        assert queue.step("mine") == 0  # not before its time
        due_now()
    assert members("a") == set(users[1:100])
    queue.step("mine")
    item = BulkItem.objects.get()
    assert (item.status, item.attempts, item.error) == ("failed", 4, "IntegrityError")
    row = BulkBatch.objects.get(pk=batch)
    assert (row.state, row.applied, row.failed) == ("finished", 99, 1)


def test_a_pause_has_a_job_of_its_own(platform: Platform, users: list[int], refused: int) -> None:
    platform.send(*[("add", "a", one) for one in users[:100]])
    jobs.run_due(kinds=[queue.JOB], limit=1)
    [job] = Job.objects.filter(kind=queue.JOB, state="queued")
    assert job.run_after > job.created_at
    # What arrives meanwhile does not wait for it.
    platform.send(*[("add", "b", one) for one in users[100:200]])
    work()
    assert members("b") == set(users[100:200])


def failing(platform: Platform, users: list[int], refused: int) -> BulkItem:
    """An item that has failed for good: the user should be in the segment and is not."""
    platform.send(*[("add", "a", one) for one in users[:100]])
    for _ in range(4):
        queue.step("mine")
        due_now()
    item = BulkItem.objects.get()
    assert (item.user, item.status) == (refused, "failed")
    return item


def test_what_failed_does_not_come_after_what_is_newer(
    platform: Platform, users: list[int], refused: int
) -> None:
    item = failing(platform, users, refused)
    assert platform.send(("remove", "a", refused)).json()["unchanged"] == 1
    assert not BulkItem.objects.exists()
    assert failed.retry([item.pk]) == 0
    row = BulkBatch.objects.get()
    assert (row.state, row.applied, row.unchanged, row.failed) == ("finished", 99, 1, 0)


def test_what_is_tried_again_does_not_undo_what_the_worker_applied(
    platform: Platform, users: list[int], refused: int
) -> None:
    item = failing(platform, users, refused)
    platform.send(*[("remove", "a", one) for one in users[:100]])
    assert failed.retry([item.pk]) == 1
    assert queue.step("mine") == 101  # both in their order
    assert not BulkItem.objects.filter(attempts=0).exists()
    due_now()
    while queue.step("mine"):
        due_now()
    assert members("a") == set()
    assert {row.state for row in BulkBatch.objects.all()} == {"finished"}


def test_a_person_gives_it_up(platform: Platform, users: list[int], refused: int) -> None:
    item = failing(platform, users, refused)
    assert failed.remove([item.pk]) == 1
    row = BulkBatch.objects.get()
    assert (row.state, row.skipped, row.failed) == ("finished", 1, 0)
    assert not BulkItem.objects.exists()


def test_an_item_whose_segment_is_gone_fails_alone(platform: Platform, users: list[int]) -> None:
    platform.send(*[("add", "ab"[n % 2], users[n]) for n in range(120)])
    Segment.objects.filter(audience="a").delete()
    work()
    assert len(members("b")) == 60
    rows = BulkItem.objects.filter(status="failed")
    assert rows.count() == 60
    assert {one.error for one in rows} == {"The segment of this item is gone."}
