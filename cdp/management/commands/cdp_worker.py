"""``manage.py cdp_worker``: applies what webhook requests left to do, and nothing else."""

from __future__ import annotations

import re
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cdp import configuration
from cdp.webhook import queue, worker
from config.checks import refuse_unsafe

WRONG_USE = 2
SIZES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
LARGEST = 10**12


def count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:20]) <= LARGEST):
        raise ArgumentTypeError(f"must be a whole number from 1 on; got {text[:80]!r}")
    return int(text)


def seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        raise ArgumentTypeError(f"must be a number of seconds, such as 1 or 0.5; got {text[:80]!r}")
    return float(text)


def size(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,12})([KMG]?)", text.upper())
    if not found or not int(found[1]):
        raise ArgumentTypeError(f"must be a number of bytes, such as 256M; got {text[:80]!r}")
    return int(found[1]) * SIZES[found[2]]


class Command(BaseCommand):
    help = "Apply what webhook requests left to do, until Ctrl-C. `manage.py work` does it too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--batch-size", type=count, default=queue.AT_ONCE, metavar="N", help="items of one transaction"
        )
        parser.add_argument("--limit", type=count, metavar="N", help="end after so many items")
        parser.add_argument("--time-limit", type=seconds, metavar="S", help="end after so many seconds")
        parser.add_argument(
            "--memory-limit", type=size, metavar="SIZE", help="end when so much was used: 256M"
        )
        parser.add_argument("--sleep", type=seconds, default=1.0, metavar="S", help="pause when idle")
        parser.add_argument("--once", action="store_true", help="one batch, then end")
        parser.add_argument("--site", help="only for the activations of this entry of the sites file")

    def handle(self, *_args: Any, **options: Any) -> None:
        clients = None if options["site"] is None else clients_of(options["site"])
        if options["once"]:
            most = min(options["batch_size"], options["limit"] or options["batch_size"])
            self.stdout.write(f"{worker.once(clients=clients, most=most)} items applied.")
            return
        refuse_unsafe(self.stderr.write)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        limits = worker.Limits(
            items=options["limit"], seconds=options["time_limit"], bytes=options["memory_limit"]
        )
        done = worker.work(
            stop, clients=clients, batch_size=options["batch_size"], sleep=options["sleep"], limits=limits
        )
        self.stdout.write(f"{done} items applied.")


def clients_of(site: str) -> list[str]:
    sites = configuration.current().sites
    if site not in sites:
        known = ", ".join(sorted(sites)) or "none"
        raise CommandError(
            f"The sites file has no site {site[:80]!r} with a part cdp; it has {known}.", returncode=WRONG_USE
        )
    return [one.client_id for one in sites[site].activations]
