"""Erases what is stored of one person and prints the receipt."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from config.faults import Fault
from tracking.lake_rewrite import LakeBusy
from tracking.models import Erasure
from tracking.people import asked, erase, whom
from tracking.people.spans import Span
from tracking.people.whom import NoSuchPerson

FAILED, WRONG_USE = 1, 2
NOT_REACHED = """Not reached: backups and replicas, events that a browser has not sent yet, files that were
imported and what an import rejected. Log files hold no ids and models no people; the next
build learns without what was erased."""


class Command(BaseCommand):
    help = "Erase what is stored of one person, and keep copies of it from coming back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        asked.add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--linked",
            action="store_true",
            help="also what devices did that logged in as this person, up to their logins",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            own = asked.person(customer=options["customer"], user=options["user"])
        except NoSuchPerson as reason:
            raise CommandError(str(reason), returncode=WRONG_USE) from reason
        linked = whom.linked(own)
        if not options["yes"]:
            self.confirm(own, linked=len(linked), options=options)
        spans = (*own, *linked) if options["linked"] else own
        try:
            erasure = erase.finish(erase.begin(spans, linked=options["linked"]))
        except (Fault, LakeBusy, DatabaseError) as reason:
            text = f"{reason} The erasure has begun; the worker carries it on, or call this again."
            raise CommandError(text, returncode=FAILED) from reason
        self.print_receipt(erasure, left=0 if options["linked"] else len(linked))

    def confirm(self, own: tuple[Span, ...], *, linked: int, options: dict[str, Any]) -> None:
        if options["user"] == "-" or not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here; nothing was done. Add --yes.", returncode=WRONG_USE)
        what = f"user {own[0].user[: erase.DIGITS]} of customer {own[0].customer_id}"
        if linked:
            what += f", {'with' if options['linked'] else 'without'} what devices did before {linked} logins,"
        question = f"Erase {what} for good? Type yes: "
        if input(question).strip().lower() != "yes":
            raise CommandError("Nothing was erased.", returncode=WRONG_USE)

    def print_receipt(self, erasure: Erasure, *, left: int) -> None:
        at = datetime.fromtimestamp(erasure.erased_at / 1_000_000, UTC)
        lines = [
            f"Receipt {erasure.receipt}",
            f"  customer  {erasure.customer_id}",
            f"  user      {erasure.digits}... (first digits of the pseudonym)",
            f"  time      {at:%Y-%m-%d %H:%M:%S} UTC",
            *(f"  {place:<9} {count} erased" for place, count in erasure.counts.items()),
            f"For {settings.TOMBSTONE_DAYS} days copies of earlier events are stored without a user.",
            NOT_REACHED,
        ]
        if left:
            lines.append(
                f"What devices did before their {left} logins as this user stays, linked to nobody now; "
                "with --linked it would have been erased too."
            )
        self.stdout.write("\n".join(lines))
