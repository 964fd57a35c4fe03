"""The doctor's questions about tracking for customer data."""

from __future__ import annotations

import time
from collections.abc import Iterator

from cdp.tracking import connector
from cdp.tracking.models import Message
from config.checks import Finding, part

LONGEST_WAIT = 15 * 60_000_000


@part("customer data tracking")
def connectors() -> Iterator[Finding]:
    for fault in connector.current().faults:
        yield Finding("customer data tracking", fault, "Correct it in the sites file.")


@part("customer data tracking queue")
def queue() -> Iterator[Finding]:
    oldest = Message.objects.filter(refused="").order_by("pk").first()
    if oldest and time.time_ns() // 1000 - oldest.received > LONGEST_WAIT:
        yield Finding(
            "customer data tracking",
            "tracked events wait for more than 15 minutes",
            "Is the worker running? `manage.py work` delivers what waits.",
        )
    if refused := Message.objects.exclude(refused="").count():
        yield Finding(
            "customer data tracking",
            f"{refused} tracked events cannot be delivered",
            "`manage.py cdp_tracking` says why.",
        )
