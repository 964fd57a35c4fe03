"""Changes who may send a customer's events, and how many."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.customers.directory import change_gate, find
from config.customers.gates import rules_of
from config.customers.models import Customer
from config.management import gate_options


class Command(BaseCommand):
    help = "Change the rules for the events of a customer made here. What is not given stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", required=True, help="customer id")
        gate_options.add(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        customer_id = options["customer"]
        row = Customer.objects.filter(customer_id=customer_id).first()
        if row is None:
            where = "stands in the sites file; change it there" if find(customer_id) else "is not known"
            raise CommandError(f"Customer {customer_id[:80]} {where}.", returncode=2)
        rules = gate_options.rules(options, before=rules_of(row))
        change_gate(row, rules)
        self.stdout.write(
            f"Customer {customer_id}: {said(row)}. Running collectors follow within a few seconds."
        )


def said(row: Customer) -> str:
    rules = rules_of(row)
    budget = {None: "the usual budget", 0: "no limit"}.get(
        rules.events_per_second, f"{rules.events_per_second} events a second"
    )
    key = "license key required" if rules.needs_license_key else "no license key needed"
    consent = ", consent required" if rules.needs_consent else ""
    return f"{budget}, {key}{consent}, pages of {', '.join(rules.origins) or 'any origin'}"
