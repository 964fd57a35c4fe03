"""The log of requests: what went out, how often it was tried and what the receiver answered.

One row for each request, whatever the number of its tries. Rows hold counts and sentences of ours; who was
sent, and the secret, never get here.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from cdp.activations.models import Activation, DeliveryRun, Parcel, SentRequest
from cdp.activations.targets.base import Later, Receipt, Target

State = SentRequest.State
LONGEST = 500


class Tried(NamedTuple):
    """One try and its answer; ``seconds`` of it."""

    state: SentRequest.State
    status: int | None
    words: str
    address: str
    seconds: float


def delivered(receipt: Receipt, *, target: Target, activation: Activation, began: float) -> Tried:
    """``began``: by the monotonic clock."""
    address = target.address(activation.config)
    return Tried(State.DELIVERED, receipt.status, receipt.words, address, time.monotonic() - began)


def failed(why: Exception, *, target: Target, activation: Activation, began: float) -> Tried:
    """``why``: of the target, a ``Later`` or a ``Broken``."""
    state = State.LATER if isinstance(why, Later) else State.FAILED
    address = target.address(activation.config)
    return Tried(state, getattr(why, "status", None), str(why), address, time.monotonic() - began)


def record(parcel: Parcel, tried: Tried) -> None:
    """Enter one try, within the caller's transaction, in which the activation is still there."""
    now = timezone.now()
    last = {
        "state": tried.state,
        "status": tried.status,
        "answer": tried.words[:LONGEST],
        "address": tried.address.partition("?")[0][:LONGEST],
        "milliseconds": int(tried.seconds * 1000),
        "last_at": now,
    }
    rows = SentRequest.objects.filter(activation=parcel.activation_id, request_id=parcel.request_id)
    if rows.update(attempts=F("attempts") + 1, **last):
        return
    ops = Counter(one[0] for one in parcel.actions)
    SentRequest.objects.create(
        activation_id=parcel.activation_id,
        request_id=parcel.request_id,
        sequence=parcel.sequence,
        audiences=len(parcel.audiences),
        added=ops["add"],
        removed=ops["remove"],
        attempts=1,
        first_at=now,
        **last,
    )


def record_failure(parcel: Parcel, tried: Tried) -> None:
    """The same of a try after which the request waits; nothing where the activation was deleted meanwhile."""
    with transaction.atomic():
        own = Activation.objects.select_for_update(no_key=True).filter(pk=parcel.activation_id)
        if own.values_list("pk").first():
            record(parcel, tried)


def difference(run: DeliveryRun, *, added: int = 0, removed: int = 0) -> dict[str, Any]:
    """Columns of an audience: one more request of a delivery, whose numbers begin with its first."""
    return {
        "last_added": more(run, "last_added", added),
        "last_removed": more(run, "last_removed", removed),
        "last_run": run.pk,
        "last_at": timezone.now(),
    }


def more(run: DeliveryRun, column: str, count: int) -> Case:
    return Case(When(last_run=run.pk, then=F(column) + count), default=Value(count))
