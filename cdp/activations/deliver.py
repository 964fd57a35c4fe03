"""Deliveries: one at a time for each activation, request after request (reference `cdp.md` 4.3)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from cdp.activations import ledger, parcels, sent
from cdp.activations.models import Activation, ActivationAudience, DeliveryRun, Parcel
from cdp.activations.targets import base
from cdp.activations.targets.base import Broken, Later, Target
from cdp.profiles import insights
from config.jobs import lease
from config.jobs import queue as jobs
from config.jobs.history import delete

logger = logging.getLogger("cdp")

JOB = "cdp.deliver"
# Before the second to the sixth try (reference 4.3); then a person looks at it.
RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
LONGEST_ERROR = 500
FAILED = "activation_failed"  # the insight
COMPLAIN_AFTER = 3  # tries in a row, which is after more than half an hour

Progress = Callable[[int], None]


class Stopped(Exception):
    """Somebody paused, edited or deleted the activation, or another worker has it."""


def enqueue(activation: int) -> None:
    """Have a worker deliver an activation once the surrounding transaction has committed."""
    jobs.enqueue(JOB, {"activation": activation}, key=str(activation))


@jobs.job(JOB)
def work(run: jobs.Run) -> dict[str, Any]:
    done = deliver(run.payload["activation"], progress=run.progress)
    return {"run": done.pk, "state": done.state} if done else {}


def deliver(key: int, *, progress: Progress | None = None) -> DeliveryRun | None:
    """Send what is pending of an activation; None where nothing is, or another worker is at it.

    Must not be called within a transaction. ``progress`` hears how many actions were sent.
    """
    with held(key) as activation:
        if activation is None or not is_due(activation):
            return None
        run = begin(activation)
        try:
            send_all(activation, run, progress=progress)
        except Stopped as why:
            end(run, DeliveryRun.State.STOPPED, error=str(why))
        except Later as why:
            later(activation, run, why)
        except Broken as why:
            broken(activation, run, str(why))
        else:
            end(run, DeliveryRun.State.DONE)
            insights.close(activation.account, code=FAILED, subject=activation.public_id)
            conclude(activation)
        return DeliveryRun.objects.filter(pk=run.pk).first()


@contextmanager
def held(key: int) -> Iterator[Activation | None]:
    """The activation while no other worker has it. A killed worker's is free a minute later."""
    owner, now = lease.worker_name(), timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    mine = Activation.objects.filter(pk=key, lease_owner=owner)
    if not Activation.objects.filter(free, pk=key).update(lease_owner=owner, lease_until=lease.end()):
        yield None
        return
    try:
        with lease.kept(lambda: mine.update(lease_until=lease.end()), what=f"activation {key}"):
            yield Activation.objects.select_related("account").filter(pk=key).first()
    finally:
        mine.update(lease_owner="", lease_until=None)


def due() -> QuerySet[Activation]:
    """Activations with something to send, and no time to wait for."""
    under_way = Parcel.objects.filter(activation=OuterRef("pk"))
    pending = pending_audiences().filter(activation=OuterRef("pk"))
    active = sending(Activation.objects.filter(state=Activation.State.ACTIVE))
    ripe = active.filter(Q(retry_at=None) | Q(retry_at__lte=timezone.now()))
    return ripe.filter(Exists(under_way) | Exists(pending) | Q(ending_at__isnull=False))


def sending(rows: QuerySet[Activation]) -> QuerySet[Activation]:
    """Those of kinds that send anything."""
    return rows.filter(kind__in=[target.kind for target in base.all_targets() if target.delivers])


def is_due(activation: Activation) -> bool:
    return due().filter(pk=activation.pk).exists()


def pending_audiences() -> QuerySet[ActivationAudience]:
    """Audiences that were calculated since, or asked for by somebody, or are on their way out."""
    return ActivationAudience.objects.filter(
        Q(audience__sequence__gt=F("sequence")) | Q(asked__gt=F("answered")) | Q(removed_at__isnull=False)
    )


def begin(activation: Activation) -> DeliveryRun:
    killed = activation.runs.filter(state=DeliveryRun.State.RUNNING)
    killed.update(
        state=DeliveryRun.State.STOPPED,
        error="Its worker ended on the way; the next delivery went on.",
        finished_at=timezone.now(),
    )
    return DeliveryRun.objects.create(activation=activation)


def send_all(activation: Activation, run: DeliveryRun, *, progress: Progress | None) -> None:
    """First what a delivery before left under way, then the difference of every pending audience."""
    target = base.of(activation)
    waiting = Parcel.objects.filter(activation=activation).first()
    if waiting is not None:
        check(activation)  # after the request was read: an edit since gives it another id
        send(activation, waiting, run, target=target)
    attachments = pending(activation)
    count_unidentified(attachments, run)
    count = 0
    for load in parcels.loads(attachments, tells=target.tells):
        check(activation)
        parcel = parcels.store(activation, load)
        if parcel is None:
            raise Stopped("The activation was changed on the way.")
        send(activation, parcel, run, target=target)
        count += len(load.steps)
        if progress:
            progress(count)
    target.finish(activation)
    for one in attachments:
        answered(one, run)


def pending(activation: Activation) -> list[ActivationAudience]:
    rows = pending_audiences().filter(activation=activation).select_related("audience").order_by("pk")
    found = list(rows)
    for one in found:
        one.activation = activation
    return found


def check(activation: Activation) -> None:
    """Read the activation again before each request. Raises :class:`Stopped`."""
    owner = activation.lease_owner
    try:
        activation.refresh_from_db()
    except Activation.DoesNotExist:
        raise Stopped("The activation was deleted.") from None
    if activation.lease_owner != owner:
        raise Stopped("Another worker delivers this activation.")
    if activation.state != Activation.State.ACTIVE:
        raise Stopped("The activation was paused.")


def send(activation: Activation, parcel: Parcel, run: DeliveryRun, *, target: Target) -> None:
    began = time.monotonic()
    try:
        receipt = target.deliver(parcels.shipment_of(parcel, activation))
    except (Later, Broken) as why:
        sent.record_failure(parcel, sent.failed(why, target=target, activation=activation, began=began))
        raise
    tried = sent.delivered(receipt, target=target, activation=activation, began=began)
    if not parcels.settle(parcel, receipt, run=run, tried=tried):
        raise Stopped("The activation was changed on the way.")


def count_unidentified(attachments: Sequence[ActivationAudience], run: DeliveryRun) -> None:
    total = 0
    for one in attachments:
        if one.removed_at is None:
            count = ledger.unidentified(one)
            total += count
            ActivationAudience.objects.filter(pk=one.pk).update(unidentified=count)
    DeliveryRun.objects.filter(pk=run.pk).update(unidentified=total)


def answered(attachment: ActivationAudience, run: DeliveryRun) -> None:
    """The audience was delivered as it was read; what came meanwhile stays pending."""
    row = ActivationAudience.objects.filter(pk=attachment.pk)
    if attachment.removed_at is not None:
        row.filter(removed_at__isnull=False).delete()
        return
    row.exclude(last_run=run.pk).update(**sent.difference(run))  # there was nothing to send
    row.update(sequence=attachment.audience.sequence, answered=attachment.asked)


def conclude(activation: Activation) -> None:
    """Delete an activation that was to end with its last member."""
    fresh = Activation.objects.filter(pk=activation.pk, ending_at__isnull=False).first()
    if fresh is not None and not fresh.attachments.exists():
        remove(fresh)


def remove(activation: Activation) -> None:
    """Delete an activation with its ledger, in short statements."""
    target = base.find(activation.kind)
    delete(activation.ledger.all())
    if target is not None:
        target.forget(activation)
    insights.close(activation.account, code=FAILED, subject=activation.public_id)
    activation.delete()


def later(activation: Activation, run: DeliveryRun, why: Later) -> None:
    """Try again in a while; out of tries it is an error like any other."""
    row = Activation.objects.filter(pk=activation.pk)
    tried = row.values_list("attempts", flat=True).first() or 0
    if tried >= len(RETRY_AFTER):
        broken(activation, run, f"{why} It was tried {tried + 1} times.")
        return
    wait = max(RETRY_AFTER[tried], timedelta(seconds=why.seconds or 0))
    row.update(attempts=tried + 1, retry_at=timezone.now() + wait)
    end(run, DeliveryRun.State.LATER, error=str(why))
    seconds = wait.total_seconds()
    logger.warning("Activation %s is tried again in %d s: %s", activation.public_id, seconds, why)
    if tried + 1 >= COMPLAIN_AFTER:
        complain(activation, f"has failed {tried + 1} times in a row and is tried again: {why}")


def broken(activation: Activation, run: DeliveryRun, reason: str) -> None:
    """Nothing more is sent until somebody edits the activation or resumes it."""
    Activation.objects.filter(pk=activation.pk, state=Activation.State.ACTIVE).update(
        state=Activation.State.ERROR, reason=reason[:LONGEST_ERROR]
    )
    end(run, DeliveryRun.State.FAILED, error=reason)
    logger.error("Activation %s stopped: %s", activation.public_id, reason)
    complain(activation, f"has stopped until it is edited or resumed: {reason}")


def complain(activation: Activation, what: str) -> None:
    insights.report(
        activation.account, code=FAILED, subject=activation.public_id, message=f"{activation.name} {what}"
    )


def end(run: DeliveryRun, state: DeliveryRun.State, *, error: str = "") -> None:
    DeliveryRun.objects.filter(pk=run.pk).update(
        state=state, error=error[:LONGEST_ERROR], finished_at=timezone.now()
    )
