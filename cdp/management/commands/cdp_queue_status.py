"""``manage.py cdp_queue_status``: what waits for the worker, for people and for supervisors."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cdp.models import BulkItem
from cdp.webhook import upkeep
from cdp.webhook.failed import failed


class Command(BaseCommand):
    help = "Say what waits for the worker of the webhook; ends with 1 when the oldest waits too long."

    def handle(self, *_args: Any, **_options: Any) -> None:
        since = upkeep.waiting_since()
        waiting = BulkItem.objects.filter(status=BulkItem.Status.QUEUED).count()
        self.stdout.write(f"{waiting} items wait, {failed().count()} failed.")
        if since is None:
            return
        waits = timezone.now() - since
        self.stdout.write(
            f"The oldest waits since {since:%Y-%m-%d %H:%M:%S} UTC ({waits.total_seconds():.0f} s)."
        )
        if waits > upkeep.LONGEST_WAIT:
            raise CommandError(
                "That is longer than 15 minutes. Is the worker running? `manage.py work` applies what waits."
            )
