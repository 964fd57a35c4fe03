"""Enqueueing and running jobs. The row is the truth; a broker message is only a nudge.

A kind of job is a function registered under a name::

    @job("import")
    def run_import(run: Run) -> dict[str, object]:
        run.progress(10, total=100, message="reading")
        return {"items": 100}

It must be safe to run twice: after a crash another worker starts it again from the beginning. Raise
:class:`GiveUp` when trying again cannot help; any other exception is retried with back-off, at most
:data:`MAX_ATTEMPTS` times, and the row is parked after that. Of a :class:`~config.faults.Fault` the row keeps
the sentence, of others the traceback.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.faults import Fault
from config.jobs import lease
from config.jobs.models import OPEN_STATES, Job, State

logger = logging.getLogger("personalization")

# What a payload keeps sealed under this key is taken out as soon as the job has ended.
SECRET = "secret"  # noqa: S105 - a name
MAX_ATTEMPTS = 5
BACK_OFF_SECONDS = (2, 10, 60, 300)

Runner = Callable[["Run"], dict[str, Any] | None]
_runners: dict[str, Runner] = {}
_short: set[str] = set()
_abandoned: dict[str, Callable[[Job, str], None]] = {}


class GiveUp(Exception):
    """The job cannot succeed however often it is tried; the message says why and what to do."""


class Cancelled(Exception):
    """Somebody cancelled the job while it ran."""


@dataclass(kw_only=True)
class Run:
    """What a running job gets: its payload, and the means to report."""

    job: Job
    owner: str
    on_progress: Callable[[Job], None] | None = None

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = self.job.payload
        return payload

    def progress(self, done: int, *, total: int | None = None, message: str = "") -> None:
        """Store how far the job is. Raises :class:`Cancelled` when it was cancelled or taken over."""
        self.job.progress = done
        if total is not None:
            self.job.total = total
        if message:
            self.job.message = message[:255]
        still_mine = lease.mine(self.job).update(
            progress=self.job.progress, total=self.job.total, message=self.job.message
        )
        if not still_mine:
            raise Cancelled(f"Job {self.job.pk} was cancelled or taken over by another worker.")
        if self.on_progress:
            self.on_progress(self.job)


def job(
    kind: str, *, short: bool = False, abandoned: Callable[[Job, str], None] | None = None
) -> Callable[[Runner], Runner]:
    """Register the decorated function as the runner of ``kind``.

    ``short``: it takes seconds and somebody waits for it; workers keep a place that long jobs never take.
    ``abandoned``: called with the job and a sentence when it is parked because every worker died of it, so
    that what the runner keeps beside the job can say so; the runner itself never heard of its end.
    """

    def register(runner: Runner) -> Runner:
        _runners[kind] = runner
        if short:
            _short.add(kind)
        if abandoned is not None:
            _abandoned[kind] = abandoned
        return runner

    return register


def short_kinds() -> list[str]:
    return sorted(_short)


def enqueue(
    kind: str,
    payload: dict[str, Any] | None = None,
    *,
    key: str = "",
    customer_id: str = "",
    delay: timedelta = timedelta(0),
) -> Job:
    """Store a job and nudge a worker once the surrounding transaction has committed.

    ``key``: while a job of the same kind and key waits, that one is returned instead of a new one.
    """
    try:
        with transaction.atomic():
            row = Job.objects.create(
                kind=kind,
                payload=payload or {},
                key=key,
                customer_id=customer_id,
                run_after=timezone.now() + delay,
            )
    except IntegrityError:
        waiting = Job.objects.filter(kind=kind, key=key, state=State.QUEUED).first()
        if waiting is None:  # claimed between the two statements: the news is newer, queue again
            return enqueue(kind, payload, key=key, customer_id=customer_id, delay=delay)
        return waiting
    transaction.on_commit(lambda: nudge(row))
    return row


def nudge(row: Job) -> None:
    """Tell a worker that there is work. Losing this message costs only time: the worker also polls."""
    if settings.JOBS_INLINE:
        run_due()
        return
    if settings.REDIS_URL:
        from config.jobs.tasks import nudge_worker, run_due_jobs, run_short_jobs

        nudge_worker(run_short_jobs if row.kind in _short else run_due_jobs, what=f"job {row.pk}")


def claim(*, kinds: list[str] | None = None) -> Job | None:
    """Take the next due job for this process, or one whose worker's lease has run out."""
    rows = Job.objects.all() if kinds is None else Job.objects.filter(kind__in=kinds)
    return lease.claim(rows)


def is_due() -> bool:
    """Whether a job waits for a worker."""
    return Job.objects.filter(lease.due()).exists()


def run_due(*, limit: int = 100, kinds: list[str] | None = None) -> int:
    """Run due jobs one after the other until none is left; return how many ran."""
    for count in range(limit):
        row = claim(kinds=kinds)
        if row is None:
            return count
        execute(row)
    return limit


def run_now(row: Job, *, on_progress: Callable[[Job], None] | None = None) -> Job:
    """Run this very job in the calling thread (commands do), unless a worker already has it."""
    taken = Job.objects.filter(pk=row.pk, state=State.QUEUED).update(
        state=State.RUNNING,
        attempts=row.attempts + 1,
        lease_owner=lease.worker_name(),
        lease_until=lease.end(),
    )
    row.refresh_from_db()
    if taken:
        execute(row, on_progress=on_progress)
        row.refresh_from_db()
    return row


def execute(row: Job, *, on_progress: Callable[[Job], None] | None = None) -> None:
    """Run a claimed job to its end and store the outcome. Never raises."""
    runner = _runners.get(row.kind)
    if runner is None:
        finish(row, State.FAILED, error=f"No code runs jobs of the kind {row.kind!r}.")
        return
    if row.attempts > MAX_ATTEMPTS:
        abandon(row, f"Its worker died {MAX_ATTEMPTS} times while running it.")
        return
    run = Run(job=row, owner=row.lease_owner, on_progress=on_progress)
    with lease.kept(lambda: lease.mine(row).update(lease_until=lease.end()), what=f"job {row.pk}"):
        try:
            result = runner(run)
        except Cancelled:
            return
        except GiveUp as reason:
            finish(row, State.FAILED, error=str(reason))
        except Fault as fault:
            retry_or_park(row, str(fault))
        except Exception:  # noqa: BLE001 - a job may fail in any way; none may stop the worker
            retry_or_park(row, traceback.format_exc())
        else:
            finish(row, State.DONE, result=result or {})


def finish(row: Job, state: State, *, result: dict[str, Any] | None = None, error: str = "") -> None:
    """Store the outcome, unless the job was cancelled or taken over meanwhile."""
    changed = lease.mine(row).update(
        state=state,
        payload=without_secret(row.payload),
        result=result or {},
        error=error,
        finished_at=timezone.now(),
        lease_until=None,
        lease_owner="",
    )
    if changed and state in {State.FAILED, State.PARKED}:
        logger.error("Job %s (%s) %s: %s", row.pk, row.kind, state, last_line(error))


def without_secret(payload: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != SECRET}


def abandon(row: Job, error: str) -> None:
    """Park a job that no worker survives, and tell whoever shows its outcome elsewhere."""
    finish(row, State.PARKED, error=error)
    if note := _abandoned.get(row.kind):
        try:
            note(row, error)
        except Exception:
            logger.exception("The end of job %s (%s) could not be noted.", row.pk, row.kind)


def retry_or_park(row: Job, error: str) -> None:
    """Queue the job again with back-off, park it when it is out of attempts."""
    if row.attempts >= MAX_ATTEMPTS:
        finish(row, State.PARKED, error=error)
        return
    try:
        with transaction.atomic():
            lease.mine(row).update(
                state=State.QUEUED,
                error=error,
                run_after=retry_time(row.attempts),
                lease_until=None,
                lease_owner="",
            )
    except IntegrityError:  # a newer job with this key waits and will do the same work
        finish(row, State.CANCELLED, error=f"A newer job took its place. {error}")
        return
    logger.warning("Job %s (%s) will be retried: %s", row.pk, row.kind, last_line(error))


def last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def retry_time(attempts: int) -> datetime:
    seconds = BACK_OFF_SECONDS[min(attempts - 1, len(BACK_OFF_SECONDS) - 1)]
    return timezone.now() + timedelta(seconds=seconds)


def cancel(job_id: int) -> bool:
    """Cancel an open job; a running one stops at its next progress report."""
    row = Job.objects.filter(pk=job_id, state__in=OPEN_STATES).first()
    changed = row and Job.objects.filter(pk=job_id, state__in=OPEN_STATES).update(
        state=State.CANCELLED,
        payload=without_secret(row.payload),
        finished_at=timezone.now(),
        lease_owner="",
        lease_until=None,
    )
    return bool(changed)
