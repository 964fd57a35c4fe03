"""The worker loop and the functions it calls regularly."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings

from config.jobs import outbox, queue, schedule, worker
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


@pytest.mark.django_db
def test_it_never_runs_a_periodic_function_twice_at_once(calls: list[str]) -> None:
    entry = schedule._entries["test.often"]
    assert schedule.claim(entry, "one")
    Periodic.objects.update(due_at=timezone.now())
    assert not schedule.claim(entry, "two")
    Periodic.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert schedule.claim(entry, "two")


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


@pytest.mark.service
@pytest.mark.skipif("not __import__('os').environ.get('REDIS_URL')", reason="REDIS_URL is not set")
@pytest.mark.django_db(transaction=True)
def test_it_lets_a_nudge_over_redis_run_a_job_in_a_celery_worker(settings: Settings) -> None:
    database = settings.DATABASES["default"]
    environment = os.environ | {
        "CELERY_TEST_DATABASE": str(database["NAME"]),
        "REDIS_URL": settings.REDIS_URL,
    }
    command = [sys.executable, "-m", "tests.config.celery_worker"]
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own module
    try:
        row = queue.enqueue("test.celery")
        assert eventually(lambda: Job.objects.get(pk=row.pk).state == State.DONE, seconds=60)
        assert Job.objects.get(pk=row.pk).state == State.DONE
    finally:
        process.terminate()
        process.wait(30)
