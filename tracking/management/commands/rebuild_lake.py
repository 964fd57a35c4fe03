"""Writes the lake anew from the events database."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.faults import FAILED, WRONG_USE, Fault
from tracking import lake_rebuild
from tracking.lake_rewrite import LakeBusy


class Command(BaseCommand):
    help = "Write the Parquet files of the lake anew from the events database, for instance after a damage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", metavar="ID", help="only this customer's files")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            done = lake_rebuild.rebuild(options["customer"])
        except lake_rebuild.NoFiles as reason:
            raise CommandError(f"--customer: {reason}", returncode=WRONG_USE) from reason
        except (Fault, LakeBusy) as reason:
            raise CommandError(str(reason), returncode=FAILED) from reason
        self.stdout.write(f"{done.events} events of {done.customers} customers were written anew.")
