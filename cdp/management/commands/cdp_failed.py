"""``manage.py cdp_failed``: items of webhook requests that could not be applied."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cdp.models import BulkItem
from cdp.webhook import failed
from config.rows import numbers

WRONG_USE = 2
MOST_SHOWN = 100
LARGEST_ID = 2**63


class Command(BaseCommand):
    help = "List the items of webhook requests that failed, show one, try them again or forget them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", nargs="?", choices=("list", "show", "retry", "remove"), default="list")
        parser.add_argument("ids", nargs="*", type=int, metavar="ID")
        parser.add_argument("--all", action="store_true", help="every failed item")

    def handle(self, *_args: Any, **options: Any) -> None:
        action, ids, everything = options["action"], options["ids"], options["all"]
        if action == "list":
            self.overview(ids, everything=everything)
        elif action == "show":
            self.show(ids, everything=everything)
        else:
            self.change(action, self.wanted(ids, everything=everything))

    def overview(self, ids: list[int], *, everything: bool) -> None:
        if ids or everything:
            raise CommandError("list takes no ids and no --all; show takes one id.", returncode=WRONG_USE)
        for one in failed.failed()[:MOST_SHOWN]:
            self.stdout.write(f"{one.pk}: {what(one)}, batch {one.batch_id}: {one.error}")
        self.stdout.write(f"{failed.failed().count()} items failed.")

    def show(self, ids: list[int], *, everything: bool) -> None:
        if len(ids) != 1 or everything:
            raise CommandError("show takes the id of one failed item.", returncode=WRONG_USE)
        self.wanted(ids, everything=False)
        one = failed.failed().get(pk=ids[0])
        for name, value in (
            ("item", one.pk),
            ("action", what(one)),
            ("user", one.user),
            ("activation", one.client_id),
            ("batch", one.batch_id),
            ("received", f"{one.created_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("tries", one.attempts),
            ("error", one.error),
        ):
            self.stdout.write(f"{name + ':':<12}{value}")

    def wanted(self, ids: list[int], *, everything: bool) -> list[int]:
        if everything == bool(ids):
            raise CommandError("Name the items by their ids, or say --all.", returncode=WRONG_USE)
        found = failed.failed()
        if everything:
            return list(found.values_list("pk", flat=True))
        possible = [one for one in ids if abs(one) < LARGEST_ID]
        known = set(found.filter(pk__in=numbers(possible)).values_list("pk", flat=True))
        if missing := sorted(set(ids) - known):
            raise CommandError(f"There is no failed item {missing[0]}.", returncode=WRONG_USE)
        return ids

    def change(self, action: str, wanted: list[int]) -> None:
        if action == "retry":
            self.stdout.write(f"{failed.retry(wanted)} items wait for the worker again.")
        else:
            self.stdout.write(f"{failed.remove(wanted)} items are forgotten.")


def what(item: BulkItem) -> str:
    return f"{'add to' if item.is_add else 'remove from'} segment {item.segment}"
