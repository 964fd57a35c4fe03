"""Celery tasks. They carry no data and may be lost: the rows are swept anyway."""

from __future__ import annotations

from config.celery import app
from config.jobs.queue import run_due


@app.task(name="lodestar.run_due_jobs")
def run_due_jobs() -> int:
    return run_due()
