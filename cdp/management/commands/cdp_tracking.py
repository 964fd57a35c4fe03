"""``manage.py cdp_tracking``: what was tracked for customer data, what was not, and what is stuck."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Sum

from cdp.tracking.models import Message, Tally

DAYS = timedelta(days=7)
MOST_SHOWN = 100


class Command(BaseCommand):
    help = "Show how many events the last seven days brought, how many were not stored and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", type=int, metavar="N", help="of this account alone")

    def handle(self, *_args: Any, **options: Any) -> None:
        counts = Tally.objects.filter(day__gt=datetime.now(UTC).date() - DAYS)
        messages = Message.objects.all()
        if (number := options["account"]) is not None:
            counts, messages = counts.filter(account=number), messages.filter(account=number)
        sums = counts.values_list("account", "what").annotate(total=Sum("count")).order_by("account", "what")
        for account, what, total in sums:
            self.stdout.write(f"account {account}: {total} {Tally.What(what).label.lower()}")
        self.stdout.write(f"{messages.filter(refused='').count()} wait for the worker.")
        refused = messages.exclude(refused="").order_by("-pk")
        for one in refused[:MOST_SHOWN]:
            self.stdout.write(f"{one.pk}: account {one.account}: {one.refused}")
        self.stdout.write(f"{refused.count()} cannot be delivered; each is kept for seven days.")
