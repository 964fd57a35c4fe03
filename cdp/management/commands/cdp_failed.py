"""``manage.py cdp_failed``: items of webhook requests that could not be applied."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cdp.models import BulkItem
from cdp.webhook import queue

WRONG_USE = 2
MOST_SHOWN = 100


class Command(BaseCommand):
    help = "List the items of webhook requests that failed, try them again or forget them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", nargs="?", choices=("list", "retry", "remove"), default="list")
        parser.add_argument("ids", nargs="*", type=int, metavar="ID")
        parser.add_argument("--all", action="store_true", help="every failed item")

    def handle(self, *_args: Any, **options: Any) -> None:
        failed = BulkItem.objects.filter(status=BulkItem.Status.FAILED).order_by("pk")
        if options["action"] == "list":
            self.show(list(failed[:MOST_SHOWN]), count=failed.count())
            return
        if options["all"] == bool(options["ids"]):
            raise CommandError("Name the items by their ids, or say --all.", returncode=WRONG_USE)
        wanted = list(failed.values_list("pk", flat=True)) if options["all"] else options["ids"]
        if missing := sorted(set(wanted) - set(failed.filter(pk__in=wanted).values_list("pk", flat=True))):
            raise CommandError(f"There is no failed item {missing[0]}.", returncode=WRONG_USE)
        if options["action"] == "retry":
            self.stdout.write(f"{queue.retry(wanted)} items wait for the worker again.")
        else:
            self.stdout.write(f"{queue.remove(wanted)} items are forgotten.")

    def show(self, rows: list[BulkItem], *, count: int) -> None:
        for one in rows:
            what = "add to" if one.is_add else "remove from"
            self.stdout.write(f"{one.pk}: {what} segment {one.segment}, batch {one.batch_id}: {one.error}")
        self.stdout.write(f"{count} items failed.")
