"""Creates a customer of the embedded engine."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from config.customers.directory import create_customer, find
from config.customers.gates import UNSET
from config.customers.models import Customer
from config.management import gate_options


class Command(BaseCommand):
    help = "Create a customer of the embedded engine and show its license key, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--type", choices=Customer.Kind.values, default=Customer.Kind.PUBLISHER)
        parser.add_argument(
            "--alphanumeric-items", action="store_true", help="item ids are words, not numbers"
        )
        parser.add_argument("--id", default="", help="customer id, a number; chosen if left out")
        gate_options.add(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        name, customer_id = options["name"].strip(), options["id"]
        if not name or len(name) > 255:
            raise CommandError(f"--name must have 1 to 255 characters; it has {len(name)}.", returncode=2)
        if customer_id and not (customer_id.isascii() and customer_id.isdigit() and len(customer_id) <= 18):
            raise CommandError(f"--id must be a whole number; got {customer_id[:80]!r}.", returncode=2)
        taken = CommandError(f"--id {customer_id} belongs to another customer already.", returncode=2)
        if customer_id and find(customer_id):
            raise taken
        try:
            row, license_key = create_customer(
                name=name,
                kind=options["type"],
                alphanumeric_items=options["alphanumeric_items"],
                customer_id=customer_id,
                rules=gate_options.rules(options, before=UNSET),
            )
        except IntegrityError:
            raise taken from None
        self.stdout.write(f"Customer {row.customer_id} ({row.name}) was created.")
        self.stdout.write("Keep its license key; it is stored as a digest and cannot be shown again:")
        self.stdout.write(license_key)
