"""The worker with tracking's duties alone, called without a pause, so that most kills meet it at work."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from datetime import timedelta

import django

DUTIES = ("tracking.lake", "tracking.journal", "tracking.erasure")


def work() -> None:
    from config.jobs import lease, schedule, worker
    from tracking import lake

    entries = schedule._entries
    schedule._entries = {name: replace(entries[name], every=0.1) for name in DUTIES}
    lease.RENEW_SECONDS = 0.5
    lease.LEASE = timedelta(seconds=2)  # as long must the next worker wait for what a killed one held
    worker.POLL_SECONDS = 0.05
    worker.BACK_OFF_SECONDS = 0.5
    lake.MOST_ROWS = 500  # several parts in a call, so that merges come too
    lake.GRACE_SECONDS = 2.0
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker.work_forever(stop)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    work()
