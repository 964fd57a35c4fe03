"""Exports by the clock: ``ibexa_cdp.data_export.schedule`` (reference `cdp.md` 1.4).

Each entry that is due becomes part of a job, one for each section, in the order of the file. An entry runs
once in its minute, never beside itself, and a minute that passed without a worker does not come again. The
clock is that on the wall in ``TIME_ZONE``: what would be due in a skipped hour is left out, and an hour that
comes twice counts once. A job whose worker died goes on where it stopped: it keeps the ids of its runs.
"""

from __future__ import annotations

import logging
import shlex
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from io import StringIO, TextIOBase
from itertools import groupby
from typing import Any

from django.core.management import CommandError, call_command
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from cdp import configuration
from cdp.configuration import Scheduled
from cdp.export.models import ScheduledRun, StreamRun
from cdp.export.signals import scheduled_ended
from config.jobs import queue
from config.jobs.history import delete, oldest_kept
from config.jobs.models import OPEN_STATES, Job
from config.jobs.schedule import periodic

logger = logging.getLogger("cdp")

JOB = "cdp.stream"
LOOK_SECONDS = 10.0
# A start that lies further ahead than zones differ comes from a clock that was wrong.
MOST_AHEAD = timedelta(days=1)


@periodic("cdp.schedule", every=LOOK_SECONDS)
def look_at_the_clock() -> None:
    fire(timezone.now())


@periodic("cdp.stream_runs", every=3600)
def forget_old() -> None:
    """Runs go like other ended work; one that broke off and was never taken up again goes too."""
    oldest = oldest_kept()
    delete(StreamRun.objects.filter(Q(finished_at__lt=oldest) | Q(finished_at=None, started_at__lt=oldest)))


def fire(now: datetime) -> list[Job]:
    """Enqueue what is due in the minute of ``now`` and was not started in it yet; return the jobs."""
    wall = timezone.localtime(now)
    due = [entry for entry in configuration.current().schedule if entry.cron.matches(wall)]
    jobs: list[Job] = []
    for section, entries in groupby(due, key=lambda entry: entry.section):
        with transaction.atomic():
            begun = [entry for entry in entries if begin(entry, wall)]
            if begun:
                jobs.append(enqueue(section, begun, wall))
    return jobs


def enqueue(section: str, entries: Sequence[Scheduled], wall: datetime) -> Job:
    runs = [{"entry": key_of(entry), "run": str(uuid.uuid4())} for entry in entries]
    job = queue.enqueue(JOB, {"section": section, "minute": minute_of(wall), "runs": runs})
    ScheduledRun.objects.filter(key__in=[one["entry"] for one in runs]).update(job=job.pk)
    return job


def begin(entry: Scheduled, wall: datetime) -> bool:
    """Take the entry for this minute. False when it was taken before, or when it still runs."""
    key, minute = key_of(entry), minute_of(wall)
    known = ScheduledRun.objects.filter(key=key).first()
    if known is None:
        return created(key, minute)
    if known.job and Job.objects.filter(pk=known.job, state__in=OPEN_STATES).exists():
        if known.started != minute:
            logger.warning("%s is due at %s and still runs; it is left out.", entry.place, minute)
        return False
    far_ahead = minute_of(wall + MOST_AHEAD)
    earlier = Q(started__lt=minute) | Q(started__gt=far_ahead)
    return bool(ScheduledRun.objects.filter(earlier, key=key, job=known.job).update(started=minute))


def created(key: str, minute: str) -> bool:
    try:
        with transaction.atomic():
            ScheduledRun.objects.create(key=key, started=minute)
    except IntegrityError:  # another worker looked at the clock too
        return False
    return True


@queue.job(JOB)
def run_entries(run: queue.Run) -> dict[str, Any]:
    """Run the entries of one section one after the other; a failure does not stop those behind it."""
    entries = {key_of(entry): entry for entry in configuration.current().schedule}
    done: list[str] = []
    failed: list[str] = []
    for place, one in enumerate(run.payload["runs"]):
        entry = entries.get(one["entry"])
        name = entry.place if entry else f"An entry of {run.payload['section']}"
        run.progress(place, total=len(run.payload["runs"]), message=name)
        if entry is None:
            failed.append(f"{name} is not in the sites file any more.")
            continue
        line, error = told(entry, run_id=one["run"])
        if error:
            failed.append(f"{name}: {error}")
        else:
            done.append(f"{name}: {line}")
        account = StreamRun.objects.filter(pk=one["run"]).values_list("account", flat=True).first()
        scheduled_ended.send_robust(None, place=entry.place, account=account, error=error)
    if failed:
        raise queue.GiveUp(" ".join([*failed, *done]))
    return {"done": done}


def told(entry: Scheduled, *, run_id: str) -> tuple[str, str]:
    """The last line of an entry's run, and why it failed, "" where it did not."""
    try:
        return stream(entry, run_id=run_id), ""
    except CommandError as error:
        logger.error("%s failed: %s", entry.place, error)
        return "", str(error)
    except (OperationalError, InterfaceError):  # the database is away, for all of them
        raise
    except Exception as error:  # of a hook, say; its words may be about somebody, and only the log has them
        logger.exception("%s failed", entry.place)
        return "", f"{type(error).__name__}; the log of the worker says where."


def stream(entry: Scheduled, *, run_id: str) -> str:
    """Run the command of an entry; return the last line that it wrote. Raises CommandError."""
    told = LastLine()
    call_command(
        f"stream_{entry.section}_data",
        *options_of(entry),
        f"--run-id={run_id}",
        "--no-color",
        verbosity=0,
        stdout=told,
        stderr=StringIO(),
    )
    return told.line


def options_of(entry: Scheduled) -> list[str]:
    """Raises CommandError."""
    try:
        return shlex.split(entry.options)
    except ValueError as error:
        raise CommandError(f"its options cannot be read: {error}.") from error


class LastLine(TextIOBase):
    """Keeps what was written last: of rows nothing stays anywhere."""

    line = ""

    def write(self, text: str) -> int:
        self.line = text.strip() or self.line
        return len(text)


def key_of(entry: Scheduled) -> str:
    return sha256(f"{entry.section}\0{entry.options}".encode()).hexdigest()


def minute_of(wall: datetime) -> str:
    return wall.strftime("%Y-%m-%dT%H:%M")
