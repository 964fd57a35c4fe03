"""When deliveries are processed: as they come, or collected until a moment of the schedule (`cdp.md` 2.2).

A delivery gets its moment when it comes, so a time that passes without a worker is made up by the next one.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from cdp import cron
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import Dataflow, Run


def checked(expression: str) -> str:
    """The expression as it is kept; "" for deliveries that are processed as they come.

    Raises :class:`DataflowFault` ``bad_schedule``.
    """
    expression = " ".join(expression[: cron.MOST + 1].split())
    if expression:
        try:
            cron.parse(expression)
        except cron.BadCron as error:
            raise DataflowFault("bad_schedule", f"The schedule {error}.", field="schedule") from None
    return expression


def after(dataflow: Dataflow, moment: datetime) -> datetime | None:
    """When what comes at ``moment`` is processed, by the clock of the account; None for at once."""
    if not dataflow.schedule:
        return None
    return cron.parse(dataflow.schedule).following(moment, ZoneInfo(dataflow.account.time_zone))


def has_come(run: Run, now: datetime) -> bool:
    """Whether a run that waits may be processed. What has begun goes on, even while a dataflow is paused."""
    if run.due_at is None or run.state == Run.State.RUNNING:
        return True
    return run.due_at <= now and run.dataflow.status != Dataflow.Status.PAUSED


def have_come(now: datetime, *, of: str = "") -> Q:
    """:func:`has_come` for a query. ``of``: what leads to the run, such as ``run__``."""
    begun = Q(**{f"{of}due_at": None}) | Q(**{f"{of}state": Run.State.RUNNING})
    in_force = ~Q(**{f"{of}dataflow__status": Dataflow.Status.PAUSED})
    return begun | Q(**{f"{of}due_at__lte": now}) & in_force
