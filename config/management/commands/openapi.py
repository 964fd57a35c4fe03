"""Prints what an API takes and answers."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.openapi import described


class Command(BaseCommand):
    help = "Print the OpenAPI 3.1 document of an API, or its page of the documentation."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("api", choices=list(described()))
        parser.add_argument("--format", choices=["json", "markdown"], default="json")
        parser.add_argument("--output", type=Path, help="write to this file instead of standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        api = described()[options["api"]]
        if options["format"] == "markdown" and api.page is None:
            raise CommandError(
                f"The API {api.name} has no page; docs/endpoints.md tells of it.", returncode=2
            )
        text = api.page() if options["format"] == "markdown" and api.page else api.as_text()
        target: Path | None = options["output"]
        if target is None:
            self.stdout.write(text, ending="")
            return
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as fault:
            raise CommandError(f"{target} could not be written: {fault.strerror}.", returncode=1) from fault
        self.stdout.write(f"{target} was written.")
