"""``manage.py cdp_account``: accounts of the customer data platform, and their API keys."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from cdp.profiles import accounts
from cdp.profiles.models import Account, Profile
from config.customers import directory

WRONG_USE = 2


class Command(BaseCommand):
    help = "Create an account, list all, or make a new API key for one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("create", "list", "key"))
        parser.add_argument("--account", type=int, metavar="N", help="its number, 1000 to 999999")
        parser.add_argument("--name", default="", help="create: how people call it")
        parser.add_argument("--time-zone", default="UTC", help="create: in which its days begin")
        parser.add_argument(
            "--customer", action="append", default=[], help="create: whose tracked events feed it; repeatable"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["action"] == "list":
            self.show()
        elif options["account"] is None:
            raise CommandError("--account is missing.", returncode=WRONG_USE)
        elif options["action"] == "create":
            self.create(**options)
        else:
            self.new_key(options["account"])

    def show(self) -> None:
        for account in accounts.all_accounts():
            customers = ", ".join(account.feeds.values_list("customer_id", flat=True)) or "-"
            count = Profile.objects.filter(account=account).count()
            fed = f"{customers}, {'API key' if account.api_key_digest else 'no API key'}"
            self.stdout.write(f"{account.number}: {account.name}, {count} profiles, fed by {fed}")

    def create(
        self, *, account: int, name: str, time_zone: str, customer: list[str], **_options: Any
    ) -> None:
        if accounts.find(account) is not None:
            raise CommandError(f"--account: there is an account {account} already.", returncode=WRONG_USE)
        if not name.strip():
            raise CommandError("--name is missing.", returncode=WRONG_USE)
        refuse_wrong(Account(number=account, name=name.strip(), time_zone=time_zone), customer)
        made = accounts.create(account, name=name.strip(), time_zone=time_zone)
        for customer_id in customer:
            accounts.feed(made, customer_id)
        key = accounts.new_key(made)
        self.stdout.write(f"Account {account} was created. Its API key, shown only now: {key}")

    def new_key(self, number: int) -> None:
        account = accounts.find(number)
        if account is None:
            raise CommandError(f"--account: there is no account {number}.", returncode=WRONG_USE)
        self.stdout.write(f"The API key of account {number}, shown only now: {accounts.new_key(account)}")


def refuse_wrong(account: Account, customers: list[str]) -> None:
    try:
        account.clean_fields()
    except ValidationError as fault:
        field, [message, *_more] = next(iter(fault.message_dict.items()))
        option = "account" if field == "number" else field
        raise CommandError(f"--{option}: {message}", returncode=WRONG_USE) from None
    try:
        ZoneInfo(account.time_zone)
    except (KeyError, ValueError, OSError):
        text = f"--time-zone must be one such as Europe/Oslo; got {account.time_zone[:40]!r}."
        raise CommandError(text, returncode=WRONG_USE) from None
    for customer_id in customers:
        if directory.find(customer_id) is None:
            raise CommandError(
                f"--customer: there is no customer {customer_id[:40]!r}.", returncode=WRONG_USE
            )
