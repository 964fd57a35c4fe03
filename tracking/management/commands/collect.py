"""`manage.py collect`: run the event collector in this terminal."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.checks import refuse_unsafe
from tracking.collector import server


class Command(BaseCommand):
    help = "Take visitors' events in on a port of its own, until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *_args: Any, **options: Any) -> None:
        refuse_unsafe(self.stderr.write)
        host, port = options["host"], options["port"]

        def listening() -> None:
            self.stdout.write(f"Events: http://{host}:{port}/api/ - stop with Ctrl-C")
            self.stdout.flush()

        try:
            server.run(host=host, port=port, listening=listening)
        except server.CannotListen as reason:
            raise CommandError(str(reason)) from reason
