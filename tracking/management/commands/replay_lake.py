"""Brings lost events back from the lake."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.faults import FAILED, WRONG_USE, Fault
from tracking import lake_replay
from tracking.lake_replay import Replayed
from tracking.lake_rewrite import LakeBusy


class Command(BaseCommand):
    help = "Restore events that the database has lost from the Parquet files of the lake."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", metavar="ID", help="only this customer's events")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.others = 0
        try:
            lake_replay.replay(options["customer"], told=self.tell)
        except lake_replay.NotInLake as reason:
            raise CommandError(f"--customer: {reason}", returncode=WRONG_USE) from reason
        except (Fault, LakeBusy) as reason:
            raise CommandError(f"{reason} Calling this again goes on.", returncode=FAILED) from reason
        if self.others:
            text = f"{self.others} ids belong to other events in the database; the lake's stay there alone."
            raise CommandError(text, returncode=FAILED)

    def tell(self, customer_id: str, outcome: Replayed) -> None:
        self.others += outcome.others
        self.stdout.write(
            f"customer {customer_id}: {outcome.restored} events restored, {outcome.there} were there already"
        )
