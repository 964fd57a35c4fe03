"""Load a shop's or magazine's history: `manage.py import_events FILE --customer N --map ...`."""

from __future__ import annotations

import json
import sqlite3
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from config.customers.directory import CustomerAccount, directory
from config.faults import Fault
from personalization.history.mapping import EVENTS, FIELDS, BadMapping, Mapping
from personalization.history.options import BadOption, Options
from personalization.history.progress import reported
from personalization.history.rejects import UnwritableRejects, default_path
from personalization.history.run import Import, Summary
from personalization.history.source import KINDS, UnreadableFile, opened

FAILED, WRONG_USE, WITH_REJECTS = 1, 2, 3
TROUBLE = (sqlite3.Error, psycopg.Error, DatabaseError, Fault, OSError)

EXAMPLE = """Example, invoice lines of a shop that names its items by description:

  manage.py create_customer --name Shop --type commerce --id 20001
  manage.py import_events online_retail.parquet --customer 20001 --mint-ids --currency GBP \\
      --map user=CustomerID,item=Description,ts=InvoiceDate,quantity=Quantity,price=UnitPrice
  manage.py build_models --customer 20001

Times (ts) are ISO 8601 with or without a zone, or seconds (9 to 11 digits), milliseconds (12 to 14)
or microseconds (15 to 17) since 1970, unless --time-format says otherwise. Those without a zone
are of --time-zone.

The same command again stores nothing twice: it finishes an import that was stopped, and brings what
was appended to a file. Rejected rows go to a CSV with row, line, reason and the mapped columns,
without that of the user.

Exit codes: 0 everything stored, 1 stopped (start it again), 2 wrong use and nothing done, 3 stored,
with some rows rejected."""


class Command(BaseCommand):
    help = (
        "Load historical events (CSV, NDJSON, Parquet) and the items they speak of as a customer's own data."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs |= {"epilog": EXAMPLE, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("file", type=Path, metavar="FILE", help=f"ends in {', '.join(KINDS)}")
        add("--customer", required=True, help="customer id that the events belong to")
        add(
            "--map",
            action="append",
            required=True,
            help=f"field=Column pairs; fields: {', '.join(FIELDS)}. "
            "A column whose name has a comma needs a --map of its own",
        )
        add(
            "--event",
            default="buy",
            help=f"what a row is, unless a column says (default: buy): {', '.join(EVENTS)}",
        )
        add(
            "--event-map",
            action="append",
            default=[],
            metavar="WORD=EVENT",
            help="what the words of the event column stand for: view=click,transaction=buy",
        )
        add("--time-zone", default="UTC", help="of times without one, such as Europe/Paris (default: UTC)")
        add(
            "--time-format",
            default="",
            metavar="FORMAT",
            help="how texts of ts are written, in the directives of strptime, such as '%%d.%%m.%%Y %%H:%%M'",
        )
        add(
            "--decimal",
            default=".",
            metavar="MARK",
            help="decimal mark of numbers: a point (default) or a comma, where points group thousands",
        )
        add("--item-type", type=int, default=40, help="numeric item type (default: 40)")
        add("--type-identifier", default="product", help="name of the item type (default: product)")
        add("--currency", default="", help="ISO 4217 code of the prices")
        add("--language", default="", help="language of the names, such as eng-GB")
        add("--mint-ids", action="store_true", help="items have names only: make numbers of them")
        add("--encoding", default="", help="of a CSV that is not UTF-8, such as latin-1 or cp1252")
        add(
            "--rejects",
            type=Path,
            help="where to write rejected rows (default: FILE.rejects.csv beside the file, or in the current "
            "folder where that may not be written; with a number where that exists)",
        )
        add(
            "--dry-run",
            action="store_true",
            help="check every row, store nothing; rejected rows are written only with --rejects",
        )
        add("--json", action="store_true", help="print the summary as one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        account = directory.find(options["customer"])
        if account is None:
            raise CommandError(f"Customer {options['customer']!r} not found.", returncode=WRONG_USE)
        started = time.monotonic()
        try:
            summary = self.run(account, options)
        except (BadMapping, BadOption, UnreadableFile, UnwritableRejects) as wrong:
            raise CommandError(str(wrong), returncode=WRONG_USE) from wrong
        self.report(summary, options=options, seconds=time.monotonic() - started)
        if summary.rejected:
            raise SystemExit(WITH_REJECTS)

    def run(self, account: CustomerAccount, options: dict[str, Any]) -> Summary:
        wanted = checked(account, options)
        source = opened(options["file"], encoding=options["encoding"])
        mapping = Mapping.parse(options["map"], available=source.columns())
        work = Import(source, mapping=mapping, options=wanted)
        rejects = options["rejects"] or (None if wanted.dry_run else default_path(options["file"]))
        try:
            with reported(total=source.count(), quiet=options["json"]) as on_progress:
                return work.run(rejects=rejects, on_progress=on_progress)
        except KeyboardInterrupt:
            raise stopped(work.summary, "on request") from None
        except TROUBLE as trouble:
            raise stopped(work.summary, f"by a fault ({str(trouble).strip().splitlines()[0]})") from trouble

    def report(self, summary: Summary, *, options: dict[str, Any], seconds: float) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(asdict(summary) | {"seconds": round(seconds, 1)}))
            return
        verb = "would be stored" if options["dry_run"] else "stored"
        self.stdout.write(
            f"{summary.rows} rows in {seconds:.1f} s: {summary.stored} events {verb}, "
            f"{summary.duplicates} were there already, {summary.items} items, "
            f"{summary.rejected} rows rejected."
        )
        for reason, count in summary.reasons.items():
            self.stdout.write(f"  {count:>8}  {reason}")
        if summary.rejects:
            self.stdout.write(f"Rejected rows are listed in {summary.rejects}.")
        if summary.examples and not options["dry_run"]:
            self.stdout.write("Seen most often (find_items finds others):")
            for example in summary.examples:
                self.stdout.write(f"  {example['item']:>10}  {example['title']}")
        if summary.grew:
            self.stdout.write("The file grew meanwhile: the same command again brings the rest.")


def checked(account: CustomerAccount, options: dict[str, Any]) -> Options:
    same = ("event", "event_map", "item_type", "type_identifier", "currency", "language")
    forms = ("time_zone", "time_format", "decimal")
    return Options.checked(
        customer_id=account.customer_id,
        alphanumeric=account.alphanumeric_items,
        **{name: options[name] for name in (*same, *forms, "mint_ids", "dry_run")},
    )


def stopped(summary: Summary, why: str) -> CommandError:
    return CommandError(
        # A commit that had not been counted yet makes it more.
        f"Stopped {why} at row {summary.rows:,}: at least {summary.stored:,} events were stored, "
        f"{summary.duplicates:,} were there already. The same command again goes on; nothing comes twice.",
        returncode=FAILED,
    )
