"""``manage.py cdp_cron``: run the exports that are due in this minute."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cdp.export import schedule
from config.jobs import queue
from config.jobs.models import OPEN_STATES, State

FAILED = 1


class Command(BaseCommand):
    help = (
        "Look at the clock once and run the exports of the schedule that are due; a worker does so by itself."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        jobs = schedule.fire(timezone.now())
        if not jobs:
            self.stdout.write("Nothing is due in this minute, or it is started already.")
        failed = []
        for job in jobs:
            row = queue.run_now(job)
            if row.state in OPEN_STATES:
                self.stdout.write(f"A worker runs job #{row.pk}.")
            elif row.state == State.DONE:
                self.stdout.write("\n".join(row.result["done"]))
            else:
                failed.append(row.error)
        if failed:
            raise CommandError("\n".join(failed), returncode=FAILED)
