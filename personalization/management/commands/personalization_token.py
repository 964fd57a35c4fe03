"""``manage.py personalization_token``: a bearer token for trying the content endpoints by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.customers import directory
from personalization.client import tokens


class Command(BaseCommand):
    help = "Make a bearer token for the content endpoints and print it as the last word."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", required=True, help="customer id")
        parser.add_argument(
            "--identifier",
            choices=["update", "export"],
            default="update",
            help="update: content endpoints (default); export: files of full exports",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        customer_id: str = options["customer"].strip()
        if directory.find(customer_id) is None:
            raise CommandError(
                f"There is no customer {customer_id!r}, neither in the sites file nor among those made with "
                f"create_customer.",
                returncode=2,
            )
        token = tokens.mint(customer_id, identifier=options["identifier"])
        self.stdout.write(f"Token of customer {customer_id}, valid for one day: {token}")
