"""The worker loop and the functions it calls regularly."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings

from config.jobs import lease, local, outbox, queue, schedule, tasks, worker
from config.jobs.models import Job, Outbox, Periodic, State
from config.jobs.queue import Run


def eventually(condition: Callable[[], object], *, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def calls() -> Iterator[list[str]]:
    seen: list[str] = []
    kept = dict(schedule._entries)
    schedule._entries.clear()
    schedule.periodic("test.often", every=100)(lambda: seen.append("often"))
    yield seen
    schedule._entries.clear()
    schedule._entries.update(kept)


@pytest.mark.django_db
def test_it_calls_a_periodic_function_when_its_time_has_come(calls: list[str]) -> None:
    assert schedule.run_due() == 1
    assert schedule.run_due() == 0
    Periodic.objects.update(due_at=timezone.now() - timedelta(days=1))
    assert schedule.run_due() == 1
    assert schedule.run_due() == 0
    assert calls == ["often", "often"]


@pytest.mark.django_db(transaction=True)
def test_it_calls_what_each_process_does_for_itself_at_its_start_and_outlives_its_errors(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_entries", {})
    monkeypatch.setattr(local, "_due", {})
    seen: list[str] = []

    @local.everywhere("test.broken", every=100)
    def broken() -> None:
        raise ValueError("no good")

    local.everywhere("test.own", every=100)(lambda: seen.append("own"))
    Periodic.objects.create(name="test.own", lease_owner="another", lease_until="2999-01-01T00:00:00Z")
    worker.work_until_idle()
    worker.work_until_idle()
    assert seen == ["own"]
    local._due["test.own"] = time.monotonic() - 1
    assert tasks.sweep() >= 0
    assert seen == ["own", "own"]
    assert calls == ["often"]


@pytest.mark.django_db
def test_it_never_runs_a_periodic_function_twice_at_once(calls: list[str]) -> None:
    entry = schedule._entries["test.often"]
    assert schedule.claim(entry, "one")
    Periodic.objects.update(due_at=timezone.now())
    assert not schedule.claim(entry, "two")
    Periodic.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert schedule.claim(entry, "two")


@pytest.mark.django_db(transaction=True)
def test_it_renews_the_lease_of_a_periodic_function_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.05)
    seen: list[bool] = []

    def takes_long() -> None:
        before = Periodic.objects.get(name="test.takes_long").lease_until
        assert before
        assert before - timezone.now() <= timedelta(seconds=60), "what a killed worker held is free soon"
        seen.append(eventually(lambda: Periodic.objects.filter(lease_until__gt=before).exists(), seconds=60))

    assert schedule.run(schedule.Entry("test.takes_long", 100, takes_long))
    assert seen == [True]
    row = Periodic.objects.get(name="test.takes_long")
    assert (row.lease_owner, row.lease_until, row.error) == ("", None, "")


@pytest.mark.django_db
def test_it_notes_the_error_of_a_periodic_function_and_goes_on(calls: list[str]) -> None:
    @schedule.periodic("test.broken", every=1)
    def broken() -> None:
        raise ValueError("no good")

    assert schedule.run_due() == 2
    assert Periodic.objects.get(name="test.broken").error == "ValueError: no good"
    assert calls == ["often"]


@pytest.mark.django_db(transaction=True)
def test_it_works_while_a_long_job_runs_and_stops_when_told(calls: list[str]) -> None:
    release, delivered = threading.Event(), threading.Event()

    @queue.job("test.long")
    def long(_run: Run) -> None:
        release.wait(20)

    @outbox.delivery("test.quick")
    def quick(_message: Outbox) -> None:
        delivered.set()

    stop = threading.Event()
    thread = threading.Thread(target=worker.work_forever, args=(stop,))
    row = queue.enqueue("test.long")
    thread.start()
    try:
        outbox.put("test.quick", key="k", payload={})
        assert delivered.wait(20)
        assert eventually(worker.last_beat)
    finally:
        release.set()
        eventually(lambda: Job.objects.get(pk=row.pk).state == State.DONE)
        stop.set()
        thread.join(20)
    assert Job.objects.get(pk=row.pk).state == State.DONE
    assert not thread.is_alive()
    assert worker.last_beat() is None  # the doctor sees no worker that was stopped
    assert calls == ["often"]


@pytest.mark.django_db(transaction=True)
def test_it_runs_a_short_job_while_long_ones_have_every_other_place(calls: list[str]) -> None:
    release, done = threading.Event(), threading.Event()
    queue.job("test.long")(lambda _run: release.wait(120) and None)
    queue.job("test.short", short=True)(lambda _run: done.set())
    rows = [queue.enqueue("test.long") for _ in range(worker.JOB_THREADS + 1)]
    stop = threading.Event()
    thread = threading.Thread(target=worker.work_forever, args=(stop,))
    thread.start()
    try:
        running = Job.objects.filter(state=State.RUNNING)
        assert eventually(lambda: running.count() == worker.JOB_THREADS, seconds=60)
        queue.enqueue("test.short")
        assert done.wait(60)
    finally:
        release.set()
        eventually(lambda: not Job.objects.exclude(state=State.DONE).exists(), seconds=60)
        stop.set()
        thread.join(60)
        queue._short.discard("test.short")
    assert {Job.objects.get(pk=row.pk).state for row in rows} == {State.DONE}


def test_it_lets_no_celery_task_run_out_of_time() -> None:
    for task in (tasks.run_due_jobs, tasks.run_short_jobs, tasks.deliver_outbox, tasks.sweep):
        assert (task.time_limit, task.soft_time_limit) == (None, None)


def test_it_outlives_an_error_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BACK_OFF_SECONDS", 0.01)
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    monkeypatch.setattr(worker, "close_quietly", lambda: None)
    stop = threading.Event()
    turns: list[int] = []

    def failing() -> int:
        turns.append(1)
        if len(turns) == 3:
            stop.set()
        raise DatabaseError("gone")

    worker.turn(stop, failing, 0.01)
    assert len(turns) == 3


@pytest.mark.django_db
def test_it_does_what_is_due_once(calls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    queue.job("test.noop")(lambda _run: None)
    queue.enqueue("test.noop")
    call_command("work", "--once")
    assert "Did 2 pieces of work." in capsys.readouterr().out
    assert worker.last_beat() is None  # nobody is there for what comes next


@contextmanager
def celery_worker(settings: Settings, *, queues: str, folder: Path) -> Iterator[None]:
    """A prefork worker of ``tests.config.celery_worker`` on the database of this test."""
    environment = os.environ | {
        "CELERY_TEST_DATABASE": str(settings.DATABASES["default"]["NAME"]),
        "CELERY_TEST_FOLDER": str(folder),
        "CELERY_TEST_QUEUES": queues,
        "REDIS_URL": settings.REDIS_URL,
    }
    command = [sys.executable, "-m", "tests.config.celery_worker"]
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own module
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.service
@pytest.mark.skipif("not __import__('os').environ.get('REDIS_URL')", reason="REDIS_URL is not set")
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_it_lets_nudges_over_redis_run_short_jobs_beside_long_ones(
    settings: Settings, tmp_path: Path
) -> None:
    queue.job("test.celery_short", short=True)(lambda _run: None)  # known here as there: it is nudged so
    with (
        celery_worker(settings, queues="celery", folder=tmp_path),
        celery_worker(settings, queues="short", folder=tmp_path),
    ):
        try:
            long = [queue.enqueue("test.celery_long") for _ in range(3)]
            running = Job.objects.filter(state=State.RUNNING)
            assert eventually(lambda: running.count() == 2, seconds=90)
            short = queue.enqueue("test.celery_short")
            assert eventually(lambda: Job.objects.get(pk=short.pk).state == State.DONE, seconds=90)
            assert running.count() == 2
        finally:
            (tmp_path / "release").touch()
            queue._short.discard("test.celery_short")
        assert eventually(lambda: not Job.objects.exclude(state=State.DONE).exists(), seconds=90)
    assert {Job.objects.get(pk=row.pk).result["prefork"] for row in long} == {True}
