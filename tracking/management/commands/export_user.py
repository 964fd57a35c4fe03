"""Everything that is stored of one person, as JSON."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.files import sync
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
            size = write(path, document)
        except OSError as reason:
            text = f"--output: {path} cannot be written: {reason.strerror}."
            raise CommandError(text, returncode=FAILED) from reason
        self.stdout.write(f"{size:,} bytes were written to {path}.")


def write(path: Path, parts: Iterable[bytes]) -> int:
    """Write the file whole or not at all; return its size."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            size = sum(file.write(part) for part in parts)
        sync(temporary)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return size
