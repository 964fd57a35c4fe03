"""``manage.py triggers``: messages to people who are not on the site."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from personalization.management.customer import known_customer
from personalization.server.triggers import definitions, nightly
from personalization.server.triggers.models import Trigger, TriggerRecipient

WRONG_USE = 2
KINDS = {
    "abandoned-basket": Trigger.Kind.BASKET,
    "reactivation": Trigger.Kind.REACTIVATION,
    "price-drop": Trigger.Kind.PRICE_DROP,
    "post-visit": Trigger.Kind.POST_VISIT,
}


class Command(BaseCommand):
    help = "List, add, remove or evaluate the triggers of a customer: messages to people away from the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", required=True, metavar="N")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--add", metavar="NAME", help="a new trigger; needs --kind, --endpoint, --scenario")
        what.add_argument("--remove", metavar="NAME")
        what.add_argument("--run", action="store_true", help="evaluate now instead of at night")
        parser.add_argument("--kind", choices=sorted(KINDS))
        parser.add_argument("--endpoint", metavar="URL", help="where messages are posted, as JSON")
        parser.add_argument("--scenario", metavar="NAME", help="what is recommended")
        parser.add_argument("--login", default="", help="of the endpoint; its password comes from --secret")
        parser.add_argument(
            "--secret", metavar="VARIABLE", default="", help="environment variable with password or token"
        )
        parser.add_argument("--output-types", default="", metavar="IDS", help="item types (the scenario's)")
        parser.add_argument("--attributes", default="", metavar="NAMES", help="attributes of items to send")
        parser.add_argument("--items", type=int, default=10, help="at most so many recommendations")
        parser.add_argument("--delay", type=float, metavar="HOURS", help="after which there is a reason")
        parser.add_argument("--repetitions", type=int, default=1, help="messages about one occasion")
        parser.add_argument("--frequency", type=float, default=7.0, metavar="DAYS", help="between messages")

    def handle(self, *_args: Any, **options: Any) -> None:
        customer = known_customer(options["customer"]).customer_id
        if options["add"]:
            self.add(customer, options)
        elif options["remove"]:
            self.remove(customer, options["remove"])
        elif options["run"]:
            for name, count in nightly.evaluate(customer).items():
                self.stdout.write(f"{name}: {count} messages written")
        else:
            self.show(customer)

    def add(self, customer: str, options: dict[str, Any]) -> None:
        if missing := [name for name in ("kind", "endpoint", "scenario") if not options[name]]:
            raise CommandError(f"--add also needs --{' and --'.join(missing)}.", returncode=WRONG_USE)
        secret = self.secret(options["secret"]) if options["secret"] else ""
        if options["login"] and not secret:
            raise CommandError("--login needs --secret, which names a variable.", returncode=WRONG_USE)
        try:
            row = definitions.create(
                customer,
                options["add"],
                kind=KINDS[options["kind"]],
                endpoint=options["endpoint"],
                scenario=options["scenario"],
                basic=(options["login"], secret) if options["login"] else None,
                bearer="" if options["login"] else secret,
                output_types=numbers(options["output_types"]),
                attributes=words(options["attributes"]),
                items=options["items"],
                delay_hours=options["delay"],
                repetitions=options["repetitions"],
                frequency_days=options["frequency"],
            )
        except ValueError as fault:
            raise CommandError(str(fault), returncode=WRONG_USE) from None
        self.stdout.write(
            f"The trigger {row.name} is evaluated every night from {nightly.HOUR}:00 on. It writes to users"
            f" that the site tells of from now on (POST /api/{customer}/<source>/user)."
        )

    def secret(self, variable: str) -> str:
        value = os.environ.get(variable, "")
        if not value:
            raise CommandError(
                f"The environment variable {variable} is not set or empty.", returncode=WRONG_USE
            )
        return value

    def remove(self, customer: str, name: str) -> None:
        if not definitions.remove(customer, name):
            raise CommandError(f"The customer {customer} has no trigger {name[:80]!r}.", returncode=WRONG_USE)
        self.stdout.write(f"The trigger {name} is removed.")

    def show(self, customer: str) -> None:
        count = TriggerRecipient.objects.filter(customer_id=customer).count()
        for row in Trigger.objects.filter(customer_id=customer).order_by("name"):
            self.stdout.write(
                f"{row.name}: {row.get_kind_display()}, scenario {row.scenario}, after {row.delay_hours:g} h,"
                f" to {row.endpoint}; {row.messages.count()} messages"
            )
        self.stdout.write(f"{count} users may be addressed.")


def words(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def numbers(text: str) -> list[int]:
    """Raises ValueError with a sentence."""
    found = words(text)
    if wrong := next((one for one in found if not one.isdecimal() or len(one) > 9), None):
        raise ValueError(f"--output-types takes numbers separated by commas; got {wrong[:80]!r}.")
    return [int(one) for one in found]
