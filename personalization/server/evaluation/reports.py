"""Evaluations of a customer's own events: asked for, run by a worker or a command, kept.

What learns is imported late: it compiles loops, which web processes have no use for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext

from config.jobs import queue
from config.jobs.models import OPEN_STATES, Job
from personalization.server import building
from personalization.server.evaluation.models import Evaluation
from personalization.server.wrong import Problem, Wrong
from tracking.events import RULES, Shape

JOB = "engine.evaluate"
KEPT = 20  # reports of a customer
STEPS = 4  # of which a job tells: reading, choosing, learning, comparing
MOST_DAYS = 10_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """``signal``: event code to learn and to look for. ``days``: how far back to read. ``later``: the share
    of them that is held back. ``places``: of a list. ``tune``: whether settings are chosen first."""

    signal: str = "click"
    days: float = 90.0
    later: float = 0.2
    places: int = 20
    tune: bool = True


def signals() -> list[str]:
    """Event codes that say that somebody had an item."""
    return [code for code, rule in RULES.items() if rule.shape is Shape.ITEM]


def evaluate(
    customer_id: str,
    asked: Asked,
    *,
    output: Path | None = None,
    say: Callable[[str], None] = building.silent,
) -> Evaluation:
    """Learn from the earlier events, compare with the later ones, and keep the report.

    Raises :class:`building.NoEvents` and :class:`tables.WrongTable` where there is too little.
    """
    from personalization.server.evaluation import own, run

    say("Archiving and reading events")
    with building.history_of(customer_id, codes=[asked.signal], window_days=asked.days) as history:
        parts = own.divided(history, share=asked.later)
    report = run.of_people(
        parts.known, parts.later, most=asked.places, output=output, tune=asked.tune, say=say
    )
    row = Evaluation.objects.create(
        customer_id=customer_id,
        signal=asked.signal,
        days=asked.days,
        later=asked.later,
        places=asked.places,
        tuned=asked.tune,
        report=report.document(),
        begins_at=parts.begins_at,
        cut_at=parts.cut_at,
        ends_at=parts.ends_at,
    )
    forget_old(customer_id)
    return row


def forget_old(customer_id: str) -> None:
    """Keep the newest :data:`KEPT` reports."""
    rows = Evaluation.objects.filter(customer_id=customer_id).order_by("-pk")
    Evaluation.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[KEPT:])).delete()


def ask(customer_id: str, asked: Asked) -> Job:
    """Have a worker evaluate; one that waits or runs already is not asked again. Raises :class:`Wrong`."""
    problems = []
    if asked.signal not in signals():
        problems.append(Problem("signal", gettext("Choose what people did with items, such as click.")))
    if not 0 < asked.days <= MOST_DAYS:
        said = gettext("Enter a number of days from 1 to %(most)d.") % {"most": MOST_DAYS}
        problems.append(Problem("days", said))
    if problems:
        raise Wrong(problems)
    return open_job(customer_id) or queue.enqueue(
        JOB, asdict(asked), key=customer_id, customer_id=customer_id
    )


def open_job(customer_id: str) -> Job | None:
    """The evaluation that waits or runs."""
    return Job.objects.filter(kind=JOB, key=customer_id, state__in=OPEN_STATES).order_by("-pk").first()


def newest_job(customer_id: str) -> Job | None:
    return Job.objects.filter(kind=JOB, key=customer_id).order_by("-pk").first()


@queue.job(JOB)
def run_evaluation(job: queue.Run) -> dict[str, Any]:
    from personalization.server.evaluation.tables import WrongTable

    steps = itertools.count(1)
    try:
        row = evaluate(
            job.job.customer_id,
            Asked(**job.payload),
            say=lambda step: job.progress(next(steps), total=STEPS, message=step),
        )
    except (building.NoEvents, WrongTable) as reason:
        raise queue.GiveUp(str(reason)) from reason
    return {"evaluation": row.pk}
