"""``manage.py personalization_token``: make, list and revoke the bearer tokens of the content endpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from config.customers import directory
from personalization.client import tokens
from personalization.client.models import AccessToken

SCOPES = (AccessToken.UPDATE, AccessToken.EXPORT)


class Command(BaseCommand):
    help = "Make a bearer token and print it as the last word, or list or revoke tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--customer", default="", help="customer id; with --list and --revoke-all a filter"
        )
        parser.add_argument(
            "--identifier",
            choices=SCOPES,
            help="update: content endpoints (default); export: files of full exports",
        )
        parser.add_argument(
            "--days", type=int, default=1, help=f"days that the token is valid, 1 to {tokens.MOST_DAYS}"
        )
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--rotate", action="store_true", help="revoke the older tokens of the same kind")
        instead.add_argument("--list", action="store_true", help="list the tokens that are valid")
        instead.add_argument(
            "--revoke", type=int, metavar="NUMBER", help="revoke the token that --list numbers so"
        )
        instead.add_argument(
            "--revoke-all",
            action="store_true",
            help="revoke every token, or those of --customer and --identifier",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        customer_id: str = options["customer"].strip()
        if customer_id and directory.find(customer_id) is None:
            raise CommandError(
                f"There is no customer {customer_id!r}, neither in the sites file nor among those made with "
                f"create_customer.",
                returncode=2,
            )
        chosen = filtered(customer_id, options["identifier"])
        if options["list"]:
            self.show(chosen)
        elif options["revoke"] is not None:
            self.revoke_one(options["revoke"])
        elif options["revoke_all"]:
            self.stdout.write(f"Revoked {tokens.revoke(chosen)} tokens.")
        else:
            self.make(customer_id, options)

    def show(self, chosen: QuerySet[AccessToken]) -> None:
        """Never the token itself: only its digest is known."""
        self.stdout.write(f"{'number':>8}  {'customer':16}{'identifier':12}{'expires':21}used")
        for row in chosen.iterator():
            used = "yes" if row.used_at else "no"
            expires = f"{row.expires_at:%Y-%m-%d %H:%M:%S}"
            self.stdout.write(f"{row.pk:>8}  {row.customer_id:16}{row.identifier:12}{expires}  {used}")

    def revoke_one(self, number: int) -> None:
        if not tokens.revoke(tokens.usable().filter(pk=number)):
            raise CommandError(
                f"There is no valid token number {number}. The option --list shows their numbers.",
                returncode=2,
            )
        self.stdout.write(f"Revoked token {number}.")

    def make(self, customer_id: str, options: dict[str, Any]) -> None:
        days: int = options["days"]
        if not customer_id:
            raise CommandError("Name the customer of the token with --customer.", returncode=2)
        if not 1 <= days <= tokens.MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {tokens.MOST_DAYS}; got {days}.", returncode=2)
        make = tokens.rotate if options["rotate"] else tokens.mint
        token = make(
            customer_id,
            identifier=options["identifier"] or AccessToken.UPDATE,
            lifetime=timedelta(days=days),
        )
        valid = "one day" if days == 1 else f"{days} days"
        self.stdout.write(f"Token of customer {customer_id}, valid for {valid}: {token}")


def filtered(customer_id: str, identifier: str | None) -> QuerySet[AccessToken]:
    rows = tokens.usable()
    if customer_id:
        rows = rows.filter(customer_id=customer_id)
    return rows.filter(identifier=identifier) if identifier else rows
