"""Carrying notifications out, as jobs; each is shown as a row of the import history.

A job may run twice and the notifications may arrive late or out of order: every stored item carries the
moment it comes from, and an older moment never overwrites or removes a newer one. Whatever happens to a job,
its :class:`ImportRun` says how it ended and why.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from config.customers import directory
from config.faults import Fault
from config.jobs import queue
from config.jobs.models import Job, State
from config.redaction import known_secrets, redact
from personalization.contracts import CONTENT_MEDIA_TYPE, Action, Credentials
from personalization.server import sealing
from personalization.server.items import fetch, store
from personalization.server.items.export import import_full
from personalization.server.items.notifications import ITEM_JOB, JOB
from personalization.server.items.orders import Order, Outcome, Unusable, described, read_items, store_items
from personalization.server.models import ImportRun


def note_abandoned(job: Job, sentence: str) -> None:
    """The import took its workers with it, for example for want of memory."""
    ImportRun.objects.filter(pk=job.payload["run"], finished_at=None).update(
        status=ImportRun.Status.FAILED,
        error=f"The import was given up. {sentence}",
        finished_at=timezone.now(),
    )


@queue.job(ITEM_JOB, short=True, abandoned=note_abandoned)
@queue.job(JOB, abandoned=note_abandoned)
def run_import(job: queue.Run) -> dict[str, Any]:
    """Carry out one event and store the outcome in its :class:`ImportRun`."""
    run = ImportRun.objects.filter(pk=job.payload["run"]).first()
    if run is None:
        raise queue.GiveUp("The import run of this job no longer exists.")
    ImportRun.objects.filter(pk=run.pk).update(status=ImportRun.Status.RUNNING, finished_at=None)
    last = job.job.attempts >= queue.MAX_ATTEMPTS
    try:
        outcome = ACTIONS[Action(run.action)](order_of(run, job.payload), job)
    except queue.Cancelled:
        note_cancelled(run, job)
        raise
    except (fetch.FetchFailed, Fault) as fault:
        note_failure(run, str(fault), last=last)
        raise
    except (fetch.FetchRefused, sealing.Unsealable, Unusable) as fault:
        note_failure(run, str(fault), last=True)
        raise queue.GiveUp(str(fault)) from fault
    except Exception as fault:
        note_failure(run, unexpected(fault, job, last=last), last=True)
        raise
    note_success(run, outcome)
    return {"imported": outcome.imported, "removed": outcome.removed, "rejected": outcome.rejected}


def order_of(run: ImportRun, payload: dict[str, Any]) -> Order:
    account = directory.find(run.customer_id)
    return Order(
        run=run,
        moment=payload["moment"],
        uris=[fetch.absolute(uri) for uri in payload["uris"]],
        credentials=Credentials.model_validate(sealing.unseal(payload[queue.SECRET])),
        alphanumeric=bool(account and account.alphanumeric_items),
    )


def unexpected(fault: Exception, job: queue.Run, *, last: bool) -> str:
    """A sentence about a mistake of ours, or of the machine, without the secrets its message may quote."""
    try:
        own = [str(value) for value in sealing.unseal(job.payload[queue.SECRET]).values() if value]
    except sealing.Unsealable:
        own = []
    again = "It is not tried again." if last else "It is tried again soon."
    reason = redact(described(fault), secrets=own + known_secrets())
    return f"The import stopped at an unexpected error. {again} {reason}"


def note_cancelled(run: ImportRun, job: queue.Run) -> None:
    """A job that another worker took over is told by that one."""
    if Job.objects.filter(pk=job.job.pk, state=State.CANCELLED).exists():
        note_failure(run, "The import was cancelled.", last=True)


def note_failure(run: ImportRun, sentence: str, *, last: bool) -> None:
    status = ImportRun.Status.FAILED if last else ImportRun.Status.WAITING
    finished = timezone.now() if last else None
    ImportRun.objects.filter(pk=run.pk).update(status=status, error=sentence, finished_at=finished)


def note_success(run: ImportRun, outcome: Outcome) -> None:
    ImportRun.objects.filter(pk=run.pk).update(
        status=ImportRun.Status.DONE,
        imported=outcome.imported,
        removed=outcome.removed,
        rejected=outcome.rejected,
        error=outcome.sentences,
        finished_at=timezone.now(),
    )


def import_update(order: Order, job: queue.Run) -> Outcome:
    """Fetch one item and store it; an item that the site no longer shows is removed."""
    run, uri = order.run, order.uris[0]
    raw = fetch.document(
        uri,
        customer_id=run.customer_id,
        presented=fetch.for_items(order.credentials),
        accept=CONTENT_MEDIA_TYPE,
    )
    if raw is None:
        return remove_item(order, job)
    outcome = Outcome()
    rows = read_items(raw, order, source=uri, outcome=outcome)
    if not rows and not outcome.rejected:
        return remove_item(order, job)
    for start in range(0, len(rows), store.BATCH):
        store_items(rows[start : start + store.BATCH], order, outcome=outcome)
    if outcome.rejected and not outcome.imported:
        raise Unusable(outcome.reasons[0])
    return outcome


def remove_item(order: Order, _job: queue.Run) -> Outcome:
    run = order.run
    removed = store.remove(
        run.customer_id,
        item_type=run.item_type,
        item_id=run.item_id,
        language=run.language,
        moment=order.moment,
    )
    return Outcome(removed=removed)


ACTIONS = {Action.FULL: import_full, Action.UPDATE: import_update, Action.DELETE: remove_item}
