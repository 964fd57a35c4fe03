"""Ended work is kept for a while and then deleted; what was secret in it goes at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from config.jobs import history, queue
from config.jobs.models import Job, JobChunk, Outbox, State
from config.jobs.queue import GiveUp, Run

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=31)


@pytest.fixture
def kinds() -> Iterator[None]:
    @queue.job("test.good")
    def good(run: Run) -> None:
        assert run.payload["secret"] == "sealed"

    @queue.job("test.bad")
    def bad(_run: Run) -> None:
        raise GiveUp("no use")

    @queue.job("test.flaky")
    def flaky(_run: Run) -> None:
        raise RuntimeError("not now")

    yield
    for kind in ("test.good", "test.bad", "test.flaky"):
        queue._runners.pop(kind)


def ended(kind: str, *, state: State = State.DONE) -> Job:
    return Job.objects.create(kind=kind, state=state, finished_at=timezone.now() - LONG_AGO)


def test_it_deletes_what_ended_long_ago_with_its_chunks(settings: Settings) -> None:
    old = ended("test.old")
    JobChunk.objects.create(job=old, number=1, state=State.DONE)
    parked = Outbox.objects.create(
        kind="test", key="k", state=State.PARKED, finished_at=timezone.now() - LONG_AGO
    )
    recent = Job.objects.create(kind="test.recent", state=State.DONE, finished_at=timezone.now())
    waiting = Job.objects.create(kind="test.waiting", run_after=timezone.now() - LONG_AGO)
    history.forget_old()
    assert set(Job.objects.values_list("pk", flat=True)) == {recent.pk, waiting.pk}
    assert not JobChunk.objects.exists()
    assert not Outbox.objects.filter(pk=parked.pk).exists()


def test_it_keeps_it_for_as_long_as_the_setting_says(settings: Settings) -> None:
    settings.HISTORY_DAYS = 40
    row = ended("test.old")
    history.forget_old()
    assert Job.objects.filter(pk=row.pk).exists()


def test_it_deletes_more_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BATCH", 2)
    for _ in range(5):
        ended("test.old", state=State.FAILED)
    assert history.delete(Job.objects.all()) == 5


@pytest.mark.usefixtures("kinds")
@pytest.mark.parametrize(("kind", "state"), [("test.good", State.DONE), ("test.bad", State.FAILED)])
def test_it_takes_the_secret_out_of_a_job_that_has_ended(kind: str, state: State) -> None:
    row = queue.enqueue(kind, {"secret": "sealed", "run": 1})
    queue.run_due()
    row.refresh_from_db()
    assert (row.state, row.payload) == (state, {"run": 1})


@pytest.mark.usefixtures("kinds")
def test_it_keeps_the_secret_for_the_next_try_only() -> None:
    row = queue.enqueue("test.flaky", {"secret": "sealed", "run": 1})
    queue.run_due()
    row.refresh_from_db()
    assert (row.state, row.payload) == (State.QUEUED, {"secret": "sealed", "run": 1})
    queue.cancel(row.pk)
    row.refresh_from_db()
    assert (row.state, row.payload) == (State.CANCELLED, {"run": 1})
