"""The doctor's questions about dataflows: what waits, what is about to be lost, what cannot be turned on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, Sum
from django.utils import timezone

from cdp.dataflows import delivery, run
from cdp.dataflows.models import Dataflow, Payload, Run
from config.checks import Finding, part

LONGEST_WAIT = timedelta(minutes=15)
WARN_BEFORE = timedelta(days=3)
NEARLY_FULL = 0.8


@part("dataflows")
def dataflows() -> Iterator[Finding]:
    now = timezone.now()
    oldest = waiting_since()
    if oldest and oldest < now - LONGEST_WAIT:
        yield Finding(
            "dataflows",
            f"deliveries wait since {oldest:%Y-%m-%d %H:%M} UTC",
            "Is the worker running? `manage.py work` processes what waits.",
        )
    for one in held():
        ends = one["oldest"] + timedelta(days=run.HELD_DAYS)
        is_full = (
            one["count"] > delivery.MOST_HELD_RUNS * NEARLY_FULL
            or one["bytes"] > delivery.MOST_HELD_BYTES * NEARLY_FULL
        )
        if is_full or ends < now + WARN_BEFORE:
            why = "there is hardly room for more" if is_full else f"the oldest goes on {ends:%Y-%m-%d}"
            yield Finding(
                f"dataflow {one['dataflow__name']}",
                f"{one['count']} held runs are about to be dropped: {why}",
                "Run, activate or resume it, or stop sending.",
            )
    count = Dataflow.objects.filter(status=Dataflow.Status.ACTIVE).count()
    if count:
        yield Finding("dataflows", f"{count} are active")


def waiting_since() -> datetime | None:
    """When the oldest chunk came that a worker should have processed by now."""
    chunks = Payload.objects.filter(run__state__in=run.WAITING, sequence=F("run__done_chunks"))
    oldest: datetime | None = chunks.aggregate(oldest=Min("received_at"))["oldest"]
    return oldest


def held() -> list[dict[str, Any]]:
    """By dataflow: how many runs are held, of how many bytes, since when."""
    rows = Run.objects.filter(state=Run.State.HELD).order_by().values("dataflow", "dataflow__name")
    found = rows.annotate(count=Count("pk"), bytes=Sum("size"), oldest=Min("started_at"))
    return [dict(one) for one in found]
