"""Everything that is stored of one person, as JSON."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.files import write_whole
from tracking.people import asked, export
from tracking.people.whom import NoSuchPerson

FAILED, WRONG_USE = 1, 2


class Command(BaseCommand):
    help = "Print everything that is stored of one person, as one JSON document."

    def add_arguments(self, parser: ArgumentParser) -> None:
        asked.add_arguments(parser)
        parser.add_argument("--output", type=Path, help="write to this file, readable by its owner alone")
        parser.add_argument("--force", action="store_true", help="replace a file that is there already")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            own = asked.person(customer=options["customer"], user=options["user"])
        except NoSuchPerson as reason:
            raise CommandError(str(reason), returncode=WRONG_USE) from reason
        document = export.Document(own)
        if options["output"] is None:
            for part in document:
                self.stdout.write(part.decode(), ending="")
        else:
            self.save(document, options["output"], force=options["force"])
        if document.is_empty:
            self.stderr.write(self.style.WARNING("Nothing is stored of this person."))

    def save(self, document: Iterable[bytes], path: Path, *, force: bool) -> None:
        if path.exists() and not force:
            raise CommandError(
                f"--output: {path} is there already. Name another file, or replace it with --force.",
                returncode=WRONG_USE,
            )
        try:
            size = write_whole(path, document)
        except OSError as reason:
            text = f"--output: {path} cannot be written: {reason.strerror}."
            raise CommandError(text, returncode=FAILED) from reason
        self.stdout.write(f"{size:,} bytes were written to {path}.")
