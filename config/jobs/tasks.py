"""Celery tasks. They carry no data and may be lost: the rows are swept anyway."""

from __future__ import annotations

import logging
from typing import Any

from config.celery import SWEEP_SECONDS, app
from config.jobs import local, outbox, queue, schedule, worker

logger = logging.getLogger("personalization")


def nudge_worker(task: Any, *, what: str, expires: float | None = None) -> None:
    """Send ``task`` to the broker; a broker that is away is no error, the row will be found.

    ``expires``: seconds after which a worker need not read the message any more.
    """
    try:
        task.apply_async(retry=False, expires=expires)
    except Exception:  # noqa: BLE001 - whatever the broker's fault is, it must not reach the caller
        logger.warning("The broker is unreachable; %s waits for the next sweep.", what)


@app.task(name="lodestar.run_due_jobs")
def run_due_jobs() -> int:
    local.run_due()  # A machine that takes no sweeps learns all the same.
    return queue.run_due()


@app.task(name="lodestar.run_short_jobs")
def run_short_jobs() -> int:
    return queue.run_due(kinds=queue.short_kinds())


@app.task(name="lodestar.deliver_outbox")
def deliver_outbox() -> int:
    return outbox.deliver_due()


@app.task(name="lodestar.sweep")
def sweep() -> int:
    """What the broker-less worker does in its loops: due rows of every kind, periodic functions.

    Long jobs are only nudged: they would keep what is swept after them waiting.
    """
    worker.beat()
    local.run_due()
    done = outbox.deliver_due() + queue.run_due(kinds=queue.short_kinds())
    if queue.is_due():
        nudge_worker(run_due_jobs, what="a job", expires=SWEEP_SECONDS)
    return done + schedule.run_due()
