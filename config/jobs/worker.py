"""The worker that needs no broker: it polls the rows.

Jobs, deliveries and periodic functions have threads of their own, and short jobs have one that no other
job takes, so that an export of an hour delays neither a notification nor the import that follows it.
Nothing a job or a database does ends the loop.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from config.faults import of_database
from config.jobs import lease, local, outbox, queue, schedule
from config.jobs.models import Job, Outbox, Periodic, State

logger = logging.getLogger("personalization")

# A cheap query per turn of a loop: 0.4 s keeps the wait short and an idle worker under 2 % of a core.
POLL_SECONDS = 0.4
BACK_OFF_SECONDS = 5.0
BEAT_SECONDS = 15.0
STOP_SECONDS = 3.0
JOB_THREADS = 2
HEARTBEAT = "worker"


def work_forever(stop: threading.Event) -> None:
    """Run jobs, deliver messages and call periodic functions until ``stop`` is set.

    What is still running :data:`STOP_SECONDS` after that is handed back for the next worker.
    """
    loops: list[tuple[str, Callable[[], int], float]] = [
        *((f"jobs-{number}", run_one_job, POLL_SECONDS) for number in range(JOB_THREADS)),
        ("jobs-short", run_one_short_job, POLL_SECONDS),
        ("outbox", lambda: outbox.deliver_due(limit=10), POLL_SECONDS),
        ("schedule", run_schedule, POLL_SECONDS),
        ("heartbeat", beat, BEAT_SECONDS),
    ]
    threads = [
        threading.Thread(target=turn, args=(stop, work, pause), name=name, daemon=True)
        for name, work, pause in loops
    ]
    # What the program itself is made of stays for ever. Looking through it again and again took a third of
    # the time in which rows of a webhook were applied.
    gc.collect()
    gc.freeze()
    for thread in threads:
        thread.start()
    stop.wait()
    deadline = timezone.now() + timedelta(seconds=STOP_SECONDS)
    for thread in threads:
        thread.join(max((deadline - timezone.now()).total_seconds(), 0.0))
    hand_back()


def work_until_idle() -> int:
    """Do everything that is due in the calling thread; return how much that was."""
    total = 0
    local.run_due()
    while done := schedule.run_due() + outbox.deliver_due() + queue.run_due():
        total += done
    return total


def run_schedule() -> int:
    return local.run_due() + schedule.run_due()


def run_one_job() -> int:
    return queue.run_due(limit=1)


def run_one_short_job() -> int:
    return queue.run_due(limit=1, kinds=queue.short_kinds())


def turn(stop: threading.Event, work: Callable[[], int], pause: float) -> None:
    """Call ``work`` again and again; at once while it finds something, else after ``pause`` seconds."""
    while not stop.is_set():
        wait = pause
        try:
            close_old_connections()
            if work():
                wait = 0.0
        except DatabaseError as error:
            _code, sentence = of_database(error)
            logger.error("The worker's %s loop waits: %s", threading.current_thread().name, sentence)
            close_quietly()
            wait = BACK_OFF_SECONDS
        except Exception:  # a lost database must not end the worker; it waits for its return
            logger.exception("The worker's %s loop failed; it goes on.", threading.current_thread().name)
            close_quietly()
            wait = BACK_OFF_SECONDS
        if wait:
            stop.wait(wait)
    close_quietly()


def close_quietly() -> None:
    try:
        connections.close_all()
    except Exception:  # noqa: BLE001 - a broken connection may not even close
        logger.warning("A database connection could not be closed.")


def beat() -> int:
    """Leave a sign of life, for `manage.py doctor`. Returns 0: it never is work that goes on."""
    Periodic.objects.update_or_create(name=HEARTBEAT, defaults={"last_run": timezone.now()})
    return 0


def last_beat() -> datetime | None:
    """When a worker was last seen, or None."""
    row = Periodic.objects.filter(name=HEARTBEAT).first()
    return row.last_run if row else None


def hand_back() -> None:
    """End the leases of what this process leaves unfinished, so that the next worker starts at once.

    The sign of life goes too; another worker renews it within seconds.
    """
    prefix = lease.process_name()
    try:
        for model in (Job, Outbox):
            model.objects.filter(state=State.RUNNING, lease_owner__startswith=prefix).update(
                lease_until=timezone.now()
            )
        Periodic.objects.filter(lease_owner__startswith=prefix).update(lease_until=timezone.now())
        Periodic.objects.filter(name=HEARTBEAT).delete()
    except Exception:  # noqa: BLE001 - the leases run out by themselves
        logger.warning("The leases could not be handed back; they end by themselves.")
    close_quietly()
