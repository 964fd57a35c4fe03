"""The whole product with sample data in one command: `manage.py demo`."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from config.management.commands.serve import port_number
from config.serving import first_free_port, is_free
from personalization.demo import build as demo
from personalization.demo import owned
from personalization.demo.alone import Occupied, alone, refuse_while_used
from personalization.demo.login import LOGIN, PASSWORD

RUNNING = 4
REFUSALS = {
    owned.State.FOREIGN: (
        "{folder}, or the database that DATABASE_URL or EVENTS_DATABASE_URL names, holds an installation "
        "that is not the demo; it was left untouched. Set LODESTAR_VAR_DIR (and DATABASE_URL) to another "
        "place for the demo."
    ),
    owned.State.MISMATCH: (
        "{folder} holds a demo, but DATABASE_URL or EVENTS_DATABASE_URL names a database that is not marked "
        "as that demo's; both were left untouched. Name the demo's own database, or delete {folder} and "
        "name an empty one."
    ),
}


class Command(BaseCommand):
    help = "Set up the sample site with visitors, export and models, then serve it until Ctrl-C."
    # The first step creates the tables that checks would look for.
    requires_system_checks: list[str] = []  # noqa: RUF012
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reset", action="store_true", help="throw an earlier demo away and start over")
        parser.add_argument("--no-serve", action="store_true", help="build everything and exit")
        parser.add_argument(
            "--port", type=port_number, default=8000, help="taken ports are passed over (default: 8000)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with alone():
                self.prepare(reset=options["reset"])
        except Occupied as reason:
            raise CommandError(str(reason), returncode=RUNNING) from None
        if not options["no_serve"]:
            self.serve(options["port"])

    def prepare(self, *, reset: bool) -> None:
        found = owned.state()
        if refusal := REFUSALS.get(found):
            raise CommandError(refusal.format(folder=settings.VAR_DIR), returncode=2)
        if reset or found is not owned.State.READY:
            self.build(found)
        else:
            self.stdout.write(
                "The demo is there already; its data are kept (`make demo RESET=1` or --reset starts over)."
            )

    def build(self, found: owned.State) -> None:
        refuse_while_used()
        started = time.monotonic()
        if found is not owned.State.EMPTY:
            self.stdout.write(f"Starting over; found {found.value}.")
        owned.forget()
        # Nothing listens yet: the engine's jobs run where they are enqueued.
        settings.JOBS_INLINE = True
        narrator = Narrator()
        demo.build(narrator.begin, narrator.done)
        settings.JOBS_INLINE = False
        self.stdout.write(f"The demo is ready after {time.monotonic() - started:.0f} s.")

    def serve(self, wanted: int) -> None:
        port = wanted if is_free(wanted, host="127.0.0.1") else first_free_port(wanted + 1)
        if port != wanted:
            self.stdout.write(f"Port {wanted} is taken, using {port}.")
        self.stdout.write(banner(port))
        self.stdout.flush()
        os.environ.setdefault("LODESTAR_DEBUG_BAR", "1")  # for the processes that serve
        call_command("serve", port=port)


def banner(port: int) -> str:
    base = f"http://localhost:{port}"
    return (
        f"\n  Site         {base}/   (French: {base}/fr/)\n"
        f"  Back office  {base}/admin/\n"
        f"  Login        {LOGIN}   Password  {PASSWORD}\n\n"
        "  Ctrl-C stops everything.\n"
    )


class Narrator:
    """Tells each step: a spinner in a terminal, one plain line per step in a pipe."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.title = ""
        self.started = 0.0
        self.status: Any = None

    def begin(self, title: str) -> demo.Report:
        self.title, self.started = title, time.monotonic()
        if self.console.is_terminal:
            self.status = self.console.status(title)
            self.status.start()
        return self.report

    def report(self, text: str) -> None:
        if self.status:
            self.status.update(f"{self.title}: {text}")

    def done(self, outcome: str) -> None:
        if self.status:
            self.status.stop()
        self.console.print(f"{self.title}: {outcome} ({time.monotonic() - self.started:.1f} s)")
