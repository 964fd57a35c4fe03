"""``manage.py cdp_purge``: remove what is old of profiles, as the worker does each day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cdp.profiles import retention


class Command(BaseCommand):
    help = "Remove old interactions, and profiles that were inactive for long if that is configured."

    def handle(self, *_args: Any, **_options: Any) -> None:
        counts = retention.purge()
        self.stdout.write(", ".join(f"{count} {what}" for what, count in counts.items()) + " were removed.")
