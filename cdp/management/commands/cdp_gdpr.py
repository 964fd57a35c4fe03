"""``manage.py cdp_gdpr``: what a person may ask for (reference `cdp.md` 6.4)."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cdp.profiles import accounts, export, identifiers, subject
from cdp.profiles.identifiers import BadIdentifier
from cdp.profiles.models import Account, ErasureTicket
from cdp.profiles.names import Named
from config.files import write_whole
from config.jobs import queue

FAILED, WRONG_USE = 1, 2


class Command(BaseCommand):
    help = "Export, erase, anonymise or reinstate one person of an account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("export", "erase", "anonymise", "reinstate"))
        parser.add_argument("--account", type=int, required=True, metavar="N")
        parser.add_argument(
            "--identifier",
            required=True,
            help="kind:value, such as userid:14; - reads it from stdin",
        )
        parser.add_argument("--format", choices=("json", "csv"), default="json", help="export: how")
        parser.add_argument("--output", type=Path, help="export: into this file, readable by its owner alone")
        parser.add_argument("--yes", action="store_true", help="erase, anonymise: do not ask")

    def handle(self, *_args: Any, **options: Any) -> None:
        account = accounts.find(options["account"])
        if account is None:
            raise CommandError(f"--account: there is no account {options['account']}.", returncode=WRONG_USE)
        named = self.named(account, options["identifier"])
        getattr(self, options["action"])(account, named, options)

    def named(self, account: Account, text: str) -> Named:
        if text == "-":
            text = sys.stdin.readline().rstrip("\r\n")
        kind, colon, value = text.partition(":")
        kinds = sorted(account.person_identifiers.values_list("name", flat=True))
        if not colon or kind not in kinds:
            rule = f"--identifier must be kind:value, with one of the kinds {', '.join(kinds)}."
            raise CommandError(rule, returncode=WRONG_USE)
        try:
            return Named(kind, identifiers.normal(kind, value))
        except BadIdentifier as fault:
            raise CommandError(f"--identifier: the value {fault}.", returncode=WRONG_USE) from None

    def export(self, account: Account, named: Named, options: dict[str, Any]) -> None:
        found = export.document(subject.whom(account, [named]))
        if export.is_empty(found):
            self.stderr.write(self.style.WARNING("Nothing is stored of this person."))
        text = export.in_csv(found) if options["format"] == "csv" else export.in_json(found).decode()
        if options["output"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            size = write_whole(options["output"], [text.encode()])
        except OSError as reason:
            fault = f"--output: {options['output']} cannot be written: {reason.strerror}."
            raise CommandError(fault, returncode=WRONG_USE) from None
        self.stdout.write(f"{size:,} bytes were written to {options['output']}.")

    def erase(self, account: Account, named: Named, options: dict[str, Any]) -> None:
        self.confirm("Erase", options)
        ticket, job = subject.ask(account, [named])
        job = queue.run_now(job)
        ticket.refresh_from_db()
        if ticket.finished_at is None:
            text = (
                f"{queue.last_line(job.error)} Erasure {ticket.ticket} has begun; the worker carries it on."
            )
            raise CommandError(text.strip(), returncode=FAILED)
        self.receipt(ticket)

    def anonymise(self, account: Account, named: Named, options: dict[str, Any]) -> None:
        self.confirm("Anonymise", options)
        try:
            ticket = subject.anonymise(account, [named])
        except subject.UnknownPerson as reason:
            raise CommandError(f"--identifier: {reason}", returncode=WRONG_USE) from None
        self.receipt(ticket)
        for customer_id in accounts.customers_of(account):
            self.stdout.write(
                f"What customer {customer_id} tracks of the person stays under the pseudonym;"
                f" `erase_user --customer {customer_id}` erases it."
            )

    def reinstate(self, account: Account, named: Named, _options: dict[str, Any]) -> None:
        count = subject.reinstate(account, named)
        if not count:
            raise CommandError("--identifier: this person was not erased.", returncode=WRONG_USE)
        self.stdout.write(f"{count} identifiers may come back with the next delivery.")

    def confirm(self, what: str, options: dict[str, Any]) -> None:
        if options["yes"]:
            return
        if options["identifier"] == "-" or not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here; nothing was done. Add --yes.", returncode=WRONG_USE)
        if input(f"{what} this person of account {options['account']} for good? Type yes: ").strip() != "yes":
            raise CommandError("Nothing was done.", returncode=WRONG_USE)

    def receipt(self, ticket: ErasureTicket) -> None:
        self.stdout.write(f"Ticket {ticket.ticket}")
        for place, count in ticket.counts.items():
            self.stdout.write(f"  {place}: {count}")
