"""Celery application. Its tasks carry ids and only nudge rows that are already committed."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

from config.environment import load_dotenv_files

load_dotenv_files()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("lodestar")
app.conf.update(
    broker_url=os.environ.get("REDIS_URL") or None,
    # Rows whose nudge was lost, and whose worker died, are found by the sweep.
    beat_schedule={"sweep": {"task": "lodestar.sweep", "schedule": 15.0}},
    imports=["config.jobs.tasks"],
    worker_soft_shutdown_timeout=30.0,
    worker_hijack_root_logger=False,
    # A page must not wait for a broker that is away.
    accept_content=["json"],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    task_soft_time_limit=120,
    task_time_limit=180,
    # kombu looks for lost messages every 10th call of a 10-second timer unless told otherwise.
    broker_transport_options={
        "visibility_timeout": 300,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
    },
    broker_connection_retry_on_startup=True,
)


@worker_init.connect
@beat_init.connect
def refuse_unsafe(**_signal: Any) -> None:
    """As `serve` does: nothing runs with a key that anybody could guess."""
    from django.core.management import CommandError

    from config import checks

    try:
        checks.refuse_unsafe(complain)
    except CommandError as reason:
        complain(str(reason))
        sys.exit(reason.returncode)


def complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")
