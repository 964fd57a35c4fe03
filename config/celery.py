"""Celery application. Its tasks carry ids and only nudge rows that are already committed."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from kombu import Exchange, Queue

from config.environment import load_dotenv_files

load_dotenv_files()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

SWEEP_SECONDS = 15.0
LONG, SHORT = "celery", "short"

app = Celery("lodestar")
app.conf.update(
    broker_url=os.environ.get("REDIS_URL") or None,
    # Rows whose nudge was lost, and whose worker died, are found by the sweep.
    beat_schedule={
        "sweep": {
            "task": "lodestar.sweep",
            "schedule": SWEEP_SECONDS,
            "options": {"expires": SWEEP_SECONDS},  # missed ones need not be made up
        }
    },
    # A worker without -Q takes from both; one with -Q short is kept free of long jobs.
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in (LONG, SHORT)],
    task_default_queue=LONG,
    task_routes={
        name: {"queue": SHORT}
        for name in ("lodestar.run_short_jobs", "lodestar.deliver_outbox", "lodestar.sweep")
    },
    imports=["config.jobs.tasks"],
    worker_soft_shutdown_timeout=30.0,
    worker_hijack_root_logger=False,
    # A page must not wait for a broker that is away.
    accept_content=["json"],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    # No time limits: a task runs many rows one after the other, and an import of a large catalogue takes as
    # long as it takes. Leases find work whose process hangs or died.
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
