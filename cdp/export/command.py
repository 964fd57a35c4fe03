"""What the three stream commands have in common."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from cdp.export import asked, rows
from cdp.export.order import Order, Unconfigured, WrongUse
from cdp.export.progress import Progress
from cdp.export.run import Outcome, Told, WrongRun, execute
from cdp.export.send import StreamError
from cdp.export.values import RowError
from cdp.written import Kind
from config.http.own import is_own
from content.items.queries import UnknownRoot

FAILED, WRONG_USE = 1, 2
ROWS_FROM = 2  # verbosity
NAMES: dict[Kind, str] = {"user": "users", "product": "products", "content": "content"}
OVERWRITES = (
    "--since sends only what changed: a dataflow that overwrites its data would forget all other rows. Use it"
    " with one that appends."
)


class StreamCommand(BaseCommand):
    """``kind`` says what a command sends."""

    kind: ClassVar[Kind]

    def add_arguments(self, parser: ArgumentParser) -> None:
        asked.add_arguments(parser, self.kind)

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            order = asked.order_of(self.kind, options)
            self.announce(order, options)
            outcome = self.run(order, verbosity=options["verbosity"])
        except (WrongUse, WrongRun) as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        except (Unconfigured, UnknownRoot, ImproperlyConfigured) as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except RowError as error:
            raise CommandError(f"Stopped, because --strict is set. {error}.", returncode=FAILED) from error
        except StreamError as error:
            again = f"`--run-id {order.run_id}` goes on where it stopped."
            raise CommandError(f"{error} {again}", returncode=FAILED) from error
        self.conclude(outcome, dry_run=order.dry_run)

    def announce(self, order: Order, options: dict[str, Any]) -> None:
        """Mode, then the stream: the first two lines are a contract (reference 1.1)."""
        what = f"{NAMES[self.kind]} of site {order.site.name}"
        if not order.is_draft:
            self.stdout.write(f"Sending {what} as production data.")
        elif options["draft"]:
            self.stdout.write(f"Sending {what} as a draft: test data for the dataflow.")
        else:
            self.stdout.write(
                f"Sending {what} as a draft, since neither --draft nor --no-draft was given: test data for"
                " the dataflow."
            )
        self.stdout.write(f"Stream ID: {order.stream_id}")
        if order.since and not is_own(order.endpoint):
            self.problem(OVERWRITES)

    def run(self, order: Order, *, verbosity: int) -> Outcome:
        shows_rows = verbosity >= ROWS_FROM
        total = rows.count(order) if verbosity else 0
        with Progress(self.stderr, total=total, silent=shows_rows or not verbosity) as progress:
            told = Told(problem=self.problem, row=self.show if shows_rows else None, progress=progress.show)
            return execute(order, told)

    def show(self, row: bytes) -> None:
        """To the terminal only: rows hold what no log may."""
        self.stdout.write(row.decode())

    def problem(self, sentence: str) -> None:
        self.stderr.write(self.style.WARNING(sentence))

    def conclude(self, outcome: Outcome, *, dry_run: bool) -> None:
        run = outcome.run
        if outcome.was_done:
            self.stdout.write(f"Run {run.pk} was complete on {run.finished_at:%Y-%m-%d %H:%M} UTC.")
        for reason, number in sorted(outcome.left_out.items()):
            self.problem(f"{number} values were left out: {reason}.")
        verb = "Would send" if dry_run else "Sent"
        self.stdout.write(f"{verb} {run.rows} rows in {run.chunks} chunk(s), {run.skipped} skipped")
