"""``manage.py find_items TEXT --customer N``: the id of a product whose name one knows."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.customers.directory import directory
from personalization.server.items import store

SHOWN = 20


class Command(BaseCommand):
    help = "List a customer's items whose name holds TEXT, with type and id as the addresses take them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", metavar="TEXT", help="part of the name; capitals do not matter")
        parser.add_argument("--customer", required=True, help="customer id")
        parser.add_argument("--limit", type=int, default=SHOWN, help=f"most items listed (default: {SHOWN})")

    def handle(self, *_args: Any, **options: Any) -> None:
        customer_id = options["customer"]
        if directory.find(customer_id) is None:
            raise CommandError(f"Customer {customer_id!r} not found.", returncode=2)
        if options["limit"] < 1:
            raise CommandError(f"--limit must be 1 or more; got {options['limit']}.", returncode=2)
        if not options["text"].strip():
            raise CommandError("TEXT must hold part of a name; got an empty one.", returncode=2)
        found = store.named(customer_id, options["text"], limit=options["limit"])
        if not found:
            raise CommandError(
                f"Customer {customer_id} has no item whose name holds {options['text']!r}.", returncode=1
            )
        self.stdout.write(f"{'type':>6}  {'id':>12}  name")
        for row, name in found:
            self.stdout.write(f"{row.item_type:>6}  {row.item_id:>12}  {name}")
