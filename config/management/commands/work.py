"""Runs background work without a broker."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.checks import refuse_unsafe
from config.jobs import worker


class Command(BaseCommand):
    help = "Run jobs, deliver messages and call periodic functions, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, then exit")
        parser.add_argument("--time-limit", type=float, metavar="S", help="end after so many seconds")
        # Options that queue workers of other systems take; ours has no use for them.
        for option in ("--limit", "--failure-limit", "--memory-limit", "--sleep", "--bus", "--queues"):
            parser.add_argument(option, help="accepted and ignored")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"Did {worker.work_until_idle()} pieces of work.")
            return
        refuse_unsafe(self.stderr.write)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        if options["time_limit"] is not None:
            # Where a timetable starts one after the other, none may stay.
            timer = threading.Timer(options["time_limit"], stop.set)
            timer.daemon = True
            timer.start()
        self.stdout.write("The worker is running. Stop it with Ctrl-C.")
        worker.work_forever(stop)
