"""Load a shop's or magazine's history: `manage.py import_events FILE --customer N --map ...`."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from config.customers.directory import CustomerAccount, directory
from personalization.history.mapping import FIELDS, BadMapping, Mapping
from personalization.history.run import Options, Summary, import_file
from personalization.history.source import Source, UnreadableFile
from tracking.events import RULES

WRONG_USE, WITH_REJECTS = 2, 3

EXAMPLE = """Example, invoice lines of a shop that names its items by description:

  manage.py create_customer --name Shop --type commerce
  manage.py import_events online_retail.parquet --customer 20001 --mint-ids --currency GBP \\
      --map user=CustomerID,item=Description,ts=InvoiceDate,quantity=Quantity,price=UnitPrice
  manage.py build_models --customer 20001

Exit codes: 0 everything stored, 2 wrong use and nothing done, 3 stored, with some rows rejected."""


class Command(BaseCommand):
    help = (
        "Load historical events (CSV, NDJSON, Parquet) and the items they speak of as a customer's own data."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs |= {"epilog": EXAMPLE, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, metavar="FILE", help="ends in .csv, .ndjson, .jsonl or .parquet"
        )
        parser.add_argument("--customer", required=True, help="customer id that the events belong to")
        parser.add_argument(
            "--map", action="append", required=True, help=f"field=Column pairs; fields: {', '.join(FIELDS)}"
        )
        parser.add_argument(
            "--event", default="buy", help="what a row is, unless a column says (default: buy)"
        )
        parser.add_argument("--item-type", type=int, default=40, help="numeric item type (default: 40)")
        parser.add_argument("--type-identifier", default="product")
        parser.add_argument("--currency", default="", help="ISO 4217 code of the prices")
        parser.add_argument("--language", default="", help="language of the names, such as eng-GB")
        parser.add_argument(
            "--mint-ids", action="store_true", help="items have names only: make numbers of them"
        )
        parser.add_argument(
            "--rejects", type=Path, help="where to write rejected rows (default: FILE.rejects.csv)"
        )
        parser.add_argument("--dry-run", action="store_true", help="check every row, store nothing")
        parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        account = directory.find(options["customer"])
        if account is None:
            raise CommandError(f"Customer {options['customer']!r} not found.", returncode=WRONG_USE)
        if options["event"] not in RULES:
            raise CommandError(f"--event: there is no event {options['event']!r}.", returncode=WRONG_USE)
        started = time.monotonic()
        try:
            summary = self.run(account, options)
        except (BadMapping, UnreadableFile) as wrong:
            raise CommandError(str(wrong), returncode=WRONG_USE) from wrong
        self.report(summary, options=options, seconds=time.monotonic() - started)
        if summary.rejected:
            raise SystemExit(WITH_REJECTS)

    def run(self, account: CustomerAccount, options: dict[str, Any]) -> Summary:
        source = Source(options["file"])
        mapping = Mapping.parse(options["map"], available=source.columns())
        wanted = Options(
            customer_id=account.customer_id,
            alphanumeric=account.alphanumeric_items,
            **{k: options[k] for k in ("event", "item_type", "type_identifier", "currency", "language")},
            **{k: options[k] for k in ("mint_ids", "dry_run")},
        )
        console = Console(stderr=True, quiet=options["json"])
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("Importing", total=source.count())
            return import_file(
                options["file"],
                mapping=mapping,
                options=wanted,
                rejects=None if options["dry_run"] else rejects_path(options),
                on_progress=lambda done: progress.update(task, completed=done),
            )

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
        for reason, count in sorted(summary.reasons.items(), key=lambda pair: -pair[1]):
            self.stdout.write(f"  {count:>8}  {reason}")
        if summary.rejected and not options["dry_run"]:
            self.stdout.write(f"Rejected rows are listed in {rejects_path(options)}.")


def rejects_path(options: dict[str, Any]) -> Path:
    chosen: Path | None = options["rejects"]
    # Beside the caller, not beside the data, which may be read-only.
    return chosen or Path.cwd() / f"{options['file'].name}.rejects.csv"
