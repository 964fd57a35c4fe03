"""What is to go and may be much: page by page, by the worker, while nobody waits for it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext

from cdp.dataflows import lanes
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.models import CatalogRow, Dataflow, Run
from cdp.dataflows.run import over
from cdp.dataflows.targets import Targets, event_source, sources_of
from cdp.profiles import accounts, attributes, contributions
from cdp.profiles.models import Interaction
from config.jobs import queue as jobs
from config.jobs import schedule

STAGED, BROUGHT = "cdp.dataflow_staged", "cdp.dataflow_brought"
BATCH = 5_000
State = Run.State


def cancel(run: Run) -> None:
    """End a run as somebody asked for, however much it has written. Its overwrite never takes effect.

    Raises :class:`DataflowFault` for one that is over.
    """
    with lanes.intake(run.dataflow_id), lanes.processing(run.dataflow_id):
        run.refresh_from_db()
        if not run.is_open:
            raise DataflowFault("run_over", gettext("The run is over already; nothing has changed."))
        over(run, "cancelled", "Somebody cancelled it.", state=State.CANCELLED)
        jobs.enqueue(STAGED, {"dataflow": run.dataflow_id}, key=str(run.dataflow_id))


@jobs.job(STAGED)
def clear_staged(job: jobs.Run) -> dict[str, Any]:
    """What cancelled runs have written for an overwrite that will not be."""
    return {"runs": clear(Run.objects.filter(dataflow=job.payload["dataflow"]))}


@schedule.periodic("cdp.dataflow_staged", every=3600.0)
def clear_rest() -> None:
    """What a lost job has left."""
    clear(Run.objects.all())


def clear(runs: QuerySet[Run]) -> int:
    count = 0
    for run in runs.filter(state=State.CANCELLED).exclude(generations={}):
        Targets.discard(run)
        Run.objects.filter(pk=run.pk).update(generations={})
        count += 1
    return count


def empty(dataflow: Dataflow) -> None:
    """Have everything removed that a deleted dataflow has stored."""
    jobs.enqueue(BROUGHT, {"dataflow": dataflow.pk}, key=str(dataflow.pk))


@jobs.job(BROUGHT)
def clear_brought(job: jobs.Run) -> dict[str, Any]:
    """Whom nobody else says anything of, and who did nothing else, leaves with it. Safe to run twice."""
    dataflow = Dataflow.objects.select_related("account").get(pk=job.payload["dataflow"])
    if dataflow.status != Dataflow.Status.ARCHIVED:
        return {}
    events, rows = remove_events(dataflow), remove_rows(dataflow)
    people = 0
    for source in sources_of(dataflow):
        people += contributions.switch(source, contributions.begin(source))
    return {"events": events, "rows": rows, "people": people}


def remove_events(dataflow: Dataflow) -> int:
    gone = last = 0
    brought = Interaction.objects.filter(account=dataflow.account, source=event_source(dataflow.pk))
    brought = brought.order_by("pk")
    while page := list(brought.filter(pk__gt=last).values_list("pk", "profile")[:BATCH]):
        with accounts.locked(dataflow.account):
            gone += Interaction.objects.filter(pk__in=[pk for pk, _profile in page]).delete()[0]
            attributes.drop_empty({profile for _pk, profile in page})
        last = page[-1][0]
    return gone


def remove_rows(dataflow: Dataflow) -> int:
    gone = 0
    rows = CatalogRow.objects.filter(mapped__dataflow=dataflow).order_by("pk")
    while page := list(rows.values_list("pk", flat=True)[:BATCH]):
        gone += CatalogRow.objects.filter(pk__in=page).delete()[0]
    return gone
