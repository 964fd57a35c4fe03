"""``manage.py import_rates``: exchange rates, by which prices in other currencies are added up."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from personalization.server import rates

WRONG_USE = 2


class Command(BaseCommand):
    help = "Read exchange rates to the euro from CSV: date,currency,rate, or a column for each currency."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="such as eurofxref-hist.csv")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            count = rates.store(rates.read(options["file"]))
        except rates.WrongRates as fault:
            raise CommandError(str(fault), returncode=WRONG_USE) from None
        self.stdout.write(f"{count} rates are stored.")
