"""Re-keys everything that is stored of users to the newest key of pseudonyms."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console
from rich.progress import Progress

from config.faults import Fault
from config.files import InUse, hold
from tracking.lake_rewrite import LakeBusy
from tracking.people import whom
from tracking.people.whom import NoSuchPerson
from tracking.rotation import keys, run
from tracking.rotation.run import BadKeys, OnProgress, Report

FAILED, WRONG_USE, RUNNING = 1, 2, 4
LINE_SECONDS = 5.0
GOES_ON = "The same command again goes on; nothing is re-keyed twice."


class Command(BaseCommand):
    help = (
        "Bring what is stored of users to the newest key of LODESTAR_PSEUDONYM_KEYS, while everything runs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--customer", default="", help="only this customer id; the rotation ends when all are done")
        add("--dry-run", action="store_true", help="count what would be re-keyed and change nothing")
        add("--json", action="store_true", help="print the summary as one JSON object")
        add(
            "--begin-anew",
            action="store_true",
            help="the keys of what is stored were destroyed: take those that are set as the first ones. What "
            "is stored then belongs to nobody who can be found",
        )
        add("--yes", action="store_true", help="do not ask (with --begin-anew)")

    def handle(self, *_args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            if options["begin_anew"]:
                self.begin_anew(asked=not options["yes"])
                return
            report = self.run(options)
        except (BadKeys, NoSuchPerson) as wrong:
            raise CommandError(str(wrong), returncode=WRONG_USE) from wrong
        except InUse:
            raise CommandError("A rotation is already running.", returncode=RUNNING) from None
        except KeyboardInterrupt:
            raise CommandError(f"Stopped on request. {GOES_ON}", returncode=FAILED) from None
        except (Fault, LakeBusy, DatabaseError) as reason:
            raise CommandError(f"{reason} {GOES_ON}", returncode=FAILED) from reason
        self.print_report(report, options=options, seconds=time.monotonic() - started)

    def run(self, options: dict[str, Any]) -> Report:
        run.check_keys()
        customers = run.everybody()
        if wanted := options["customer"]:
            whom.refuse_unknown(wanted)
            customers = [wanted]
        if options["dry_run"]:
            return run.outstanding(customers)
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        with hold(settings.VAR_DIR / ".rotate-pseudonyms.lock"):
            total = sum(run.outstanding(customers).counts.values())
            with reported(total=total, quiet=options["json"]) as on_progress:
                return run.rotate(customers, on_progress=on_progress)

    def begin_anew(self, *, asked: bool) -> None:
        if asked:
            if not sys.stdin.isatty():
                raise CommandError(
                    "Nobody can be asked here; nothing was done. Add --yes.", returncode=WRONG_USE
                )
            question = "What is stored can then no longer be exported, erased or continued. Type yes: "
            if input(question).strip().lower() != "yes":
                raise CommandError("Nothing was done.", returncode=WRONG_USE)
        keys.begin_anew()
        self.stdout.write("The keys that are set are now those of this database. What is stored is nobody's.")

    def print_report(self, report: Report, *, options: dict[str, Any], seconds: float) -> None:
        left = not (report.finished or options["dry_run"] or options["customer"])
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report) | {"seconds": round(seconds, 1)}))
        else:
            self.print_lines(report, dry=options["dry_run"], seconds=seconds)
        if left:
            raise CommandError(
                "Users of an older generation keep coming: a process still runs with the old keys. Restart "
                f"all that serve, work or collect. {GOES_ON}",
                returncode=FAILED,
            )

    def print_lines(self, report: Report, *, dry: bool, seconds: float) -> None:
        verb = "would be re-keyed" if dry else "re-keyed"
        self.stdout.write(f"Generation {report.generation}, after {seconds:.1f} s:")
        for place, count in report.counts.items():
            self.stdout.write(f"  {place:<10} {count} {verb}")
        if report.finished:
            self.stdout.write("Nothing of an older generation is stored.")


@contextmanager
def reported(*, total: int, quiet: bool) -> Iterator[OnProgress]:
    """A bar on a terminal, a line every few seconds elsewhere, on standard error."""
    console = Console(stderr=True, quiet=quiet)
    if not console.is_terminal:
        yield lines(console, total=total)
        return
    with Progress(console=console) as progress:
        task = progress.add_task("Re-keying", total=total)
        yield lambda _place, number: progress.advance(task, number)


def lines(console: Console, *, total: int) -> OnProgress:
    said, done = time.monotonic(), 0

    def on_progress(place: str, number: int) -> None:
        nonlocal said, done
        done += number
        if time.monotonic() - said >= LINE_SECONDS:
            said = time.monotonic()
            console.print(f"{done:,} of about {total:,} re-keyed, now {place}")

    return on_progress
