"""Jobs: claimed once, retried, parked, taken over, cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from config.jobs import lease, queue
from config.jobs.models import Job, State
from config.jobs.queue import GiveUp, Run

Ran = list[int]


@pytest.fixture
def ran() -> Iterator[Ran]:
    """Registers the kinds of these tests; collects the ids of the jobs that ran."""
    done: Ran = []

    @queue.job("test.count")
    def count(run: Run) -> dict[str, object]:
        done.append(run.job.pk)
        run.progress(1, total=2, message="half")
        return {"fine": True}

    @queue.job("test.fail")
    def fail(run: Run) -> None:
        done.append(run.job.pk)
        raise RuntimeError("it broke")

    @queue.job("test.give_up")
    def give_up(run: Run) -> None:
        raise GiveUp("The file is no export; make a new one.")

    @queue.job("test.cancelled")
    def cancelled(run: Run) -> None:
        queue.cancel(run.job.pk)
        run.progress(1)
        done.append(run.job.pk)

    yield done
    for kind in ("test.count", "test.fail", "test.give_up", "test.cancelled"):
        queue._runners.pop(kind)


@pytest.mark.django_db
def test_it_runs_a_job_and_stores_its_outcome(ran: Ran) -> None:
    row = queue.enqueue("test.count", {"a": 1})
    assert queue.run_due() == 1
    row.refresh_from_db()
    assert (row.state, row.result, row.progress, row.total) == (State.DONE, {"fine": True}, 1, 2)
    assert row.finished_at
    assert queue.run_due() == 0


@pytest.mark.django_db
def test_it_returns_the_waiting_job_of_the_same_key(ran: Ran) -> None:
    first = queue.enqueue("test.count", key="k")
    assert queue.enqueue("test.count", key="k").pk == first.pk
    assert queue.enqueue("test.count", key="other").pk != first.pk
    queue.claim()
    assert queue.enqueue("test.count", key="k").pk != first.pk


@pytest.mark.django_db
def test_it_retries_with_back_off_and_parks_in_the_end(ran: Ran) -> None:
    row = queue.enqueue("test.fail")
    for attempt in range(1, queue.MAX_ATTEMPTS + 1):
        Job.objects.update(run_after=timezone.now())
        queue.run_due()
        row.refresh_from_db()
        assert row.attempts == attempt
        assert attempt == queue.MAX_ATTEMPTS or row.run_after > timezone.now()
    assert row.state == State.PARKED
    assert "it broke" in row.error


@pytest.mark.django_db
def test_it_gives_up_at_once_when_trying_again_cannot_help(ran: Ran) -> None:
    row = queue.enqueue("test.give_up")
    queue.run_due()
    row.refresh_from_db()
    assert (row.state, row.error) == (State.FAILED, "The file is no export; make a new one.")


@pytest.mark.django_db
def test_it_closes_a_failed_job_when_a_newer_one_of_its_key_waits(ran: Ran) -> None:
    old = queue.enqueue("test.fail", key="k")
    claimed = queue.claim()
    newer = queue.enqueue("test.fail", key="k")
    assert claimed
    queue.execute(claimed)
    old.refresh_from_db()
    newer.refresh_from_db()
    assert (old.state, newer.state) == (State.CANCELLED, State.QUEUED)


@pytest.mark.django_db
def test_it_takes_over_a_job_whose_worker_died(ran: Ran) -> None:
    row = queue.enqueue("test.count")
    dead = queue.claim()
    assert dead
    assert queue.claim() is None
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    taken = queue.claim()
    assert taken
    assert (taken.pk, taken.attempts) == (row.pk, 2)
    queue.finish(dead, State.FAILED, error="too late")
    row.refresh_from_db()
    assert row.state == State.RUNNING


@pytest.mark.django_db
def test_it_parks_a_job_that_kills_every_worker(ran: Ran) -> None:
    row = queue.enqueue("test.count")
    for _ in range(queue.MAX_ATTEMPTS):
        queue.claim()
        Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    queue.run_due()
    row.refresh_from_db()
    assert (row.state, ran) == (State.PARKED, [])


@pytest.mark.django_db
def test_it_stops_a_cancelled_job_at_its_next_report(ran: Ran) -> None:
    row = queue.enqueue("test.cancelled")
    queue.run_due()
    row.refresh_from_db()
    assert (row.state, ran) == (State.CANCELLED, [])
    assert not queue.cancel(row.pk)


@pytest.mark.django_db
def test_it_fails_a_kind_that_no_code_runs() -> None:
    row = queue.enqueue("test.unknown")
    queue.run_due()
    row.refresh_from_db()
    assert row.error == "No code runs jobs of the kind 'test.unknown'."


@pytest.mark.django_db
def test_it_runs_a_job_now_and_reports_progress(ran: Ran) -> None:
    seen: list[int] = []
    row = queue.run_now(queue.enqueue("test.count"), on_progress=lambda job: seen.append(job.progress))
    assert (row.state, seen) == (State.DONE, [1])


@pytest.mark.django_db
def test_it_runs_jobs_on_commit_in_inline_mode(
    ran: Ran, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.JOBS_INLINE = True
    with django_capture_on_commit_callbacks(execute=True):
        row = queue.enqueue("test.count")
        assert ran == []
    assert ran == [row.pk]


@pytest.mark.django_db(transaction=True)
def test_it_gives_each_job_to_one_of_two_claimers() -> None:
    for _ in range(10):
        queue.enqueue("test.count")
    taken: list[int] = []
    together = threading.Barrier(2)

    def claim_all(claim: Callable[[], Job | None]) -> None:
        together.wait()
        while row := claim():
            taken.append(row.pk)
        connection.close()

    threads = [threading.Thread(target=claim_all, args=(queue.claim,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 10


@pytest.mark.django_db(transaction=True)
def test_it_renews_the_lease_of_a_long_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.05)
    renewed = threading.Event()

    @queue.job("test.long")
    def long(run: Run) -> None:
        before = run.job.lease_until
        while Job.objects.get(pk=run.job.pk).lease_until == before:
            renewed.wait(0.02)
        renewed.set()

    queue.enqueue("test.long")
    queue.run_due()
    assert renewed.is_set()
    queue._runners.pop("test.long")


def test_it_names_leases_by_process_and_thread() -> None:
    assert lease.worker_name().startswith(lease.process_name())
