"""Requests: how a difference is divided, stored, sent and settled.

At most 1,000 actions or 1 MiB in one request (reference `cdp.md` 4.3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import uuid4

import orjson
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from cdp.activations import ledger, sent
from cdp.activations.ledger import Step
from cdp.activations.models import AUDIENCE_PREFIX, Activation, ActivationAudience, DeliveryRun, Parcel
from cdp.activations.sent import Tried
from cdp.activations.targets import base
from cdp.activations.targets.base import About, Action, Broken, Receipt, Shipment
from cdp.profiles import identifiers
from config.sealing import Unsealable

MOST_ACTIONS = 1_000
MOST_AUDIENCES = 500  # a receiver of ours takes twice as many
MOST_BYTES = 1024 * 1024
ENVELOPE = 4_096  # what a target writes around
ACTION_BYTES = 80  # op, audience and the names of the keys
# Of a sealed text three quarters are the secret at most, of which each byte may need a backslash.
JSON_OF_SEALED = 2 * 3 / 4


@dataclass
class Load:
    """What goes into one request; ``audiences`` by their keys."""

    audiences: dict[int, About] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    size: int = ENVELOPE

    def has_room_for(self, attachment: ActivationAudience, step: Step | None) -> bool:
        more = self.size + self.size_of(attachment, step)
        is_full = len(self.steps) >= MOST_ACTIONS or len(self.audiences) >= MOST_AUDIENCES
        return more <= MOST_BYTES and not is_full

    def size_of(self, attachment: ActivationAudience, step: Step | None) -> int:
        """Bytes at most. ``step``: None for what is only said of the audience."""
        size = 0 if attachment.audience_id in self.audiences else len(orjson.dumps(told(attachment)))
        return size if step is None else size + ACTION_BYTES + int(len(step.sealed) * JSON_OF_SEALED)

    def put(self, attachment: ActivationAudience, step: Step | None) -> None:
        self.size += self.size_of(attachment, step)
        self.audiences[attachment.audience_id] = told(attachment)
        if step is not None:
            self.steps.append(step)


def loads(attachments: Iterable[ActivationAudience], *, tells: bool) -> Iterator[Load]:
    """The difference of all audiences in requests. ``tells``: a changed name is news by itself."""
    load = Load()
    for attachment in attachments:
        for step in parts(attachment, tells=tells):
            if not load.has_room_for(attachment, step):
                yield load
                load = Load()
            load.put(attachment, step)
    if load.audiences:
        yield load


def parts(attachment: ActivationAudience, *, tells: bool) -> Iterator[Step | None]:
    """The steps of an audience, before them None where there is something new to say of it."""
    is_news = attachment.removed_at is None and fingerprint(told(attachment)) != attachment.told
    if tells and is_news:
        yield None
    yield from ledger.steps(attachment)


def told(attachment: ActivationAudience) -> About:
    return base.about(attachment.audience)


def fingerprint(said: About) -> str:
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def store(activation: Activation, load: Load) -> Parcel | None:
    """Keep a request before it is sent; None where the activation is another than was read, or has one
    under way."""
    as_read = Activation.objects.filter(
        pk=activation.pk,
        state=Activation.State.ACTIVE,
        lease_owner=activation.lease_owner,
        updated_at=activation.updated_at,
    )
    with transaction.atomic():
        is_same = as_read.update(sequence=Greatest(F("sequence") + 1, milliseconds()))
        if not is_same or Parcel.objects.filter(activation=activation).exists():
            return None
        activation.refresh_from_db(fields=["sequence"])
        return Parcel.objects.create(
            activation=activation,
            sequence=activation.sequence,
            audiences=list(load.audiences.values()),
            actions=[list(step) for step in load.steps],
            created_at=timezone.now(),
        )


def milliseconds() -> int:
    """Since 1970. Receivers keep the numbers by which they put requests in order: what a new activation with
    the credentials of a deleted one says, or one that comes from a backup, has to be newer."""
    return int(timezone.now().timestamp() * 1000)


def steps_of(parcel: Parcel) -> list[Step]:
    return [Step(*one) for one in parcel.actions]


def shipment_of(parcel: Parcel, activation: Activation) -> Shipment:
    """The request with people in clear. Raises :class:`Broken`."""
    try:
        actions = [
            Action(one.op, f"{AUDIENCE_PREFIX}{one.audience}", identifiers.unseal(one.sealed))
            for one in steps_of(parcel)
        ]
    except Unsealable as fault:
        raise Broken(str(fault)) from None
    return Shipment(
        activation=activation,
        request_id=str(parcel.request_id),
        sequence=parcel.sequence,
        sent_at=parcel.created_at,
        # PostgreSQL gives keys back in an order of its own, and a repetition has to be the same bytes.
        audiences=[dict(sorted(one.items())) for one in parcel.audiences],
        actions=actions,
    )


def settle(parcel: Parcel, receipt: Receipt, *, run: DeliveryRun, tried: Tried) -> bool:
    """Enter an answered request into the ledger and the log; False when it was settled or dropped by somebody
    else."""
    steps = steps_of(parcel)
    changed = Counter((one.audience, one.op) for one in steps)
    added = sum(count for (_, op), count in changed.items() if op == "add")
    with transaction.atomic():
        mine = Parcel.objects.filter(pk=parcel.pk, request_id=parcel.request_id)
        if not mine.delete()[0]:
            return False
        activation = parcel.activation
        ledger.write(activation, steps, sequence=parcel.sequence)
        for one in parcel.audiences:
            key = int(one["id"].removeprefix(AUDIENCE_PREFIX))
            difference = sent.difference(run, added=changed[key, "add"], removed=changed[key, "remove"])
            activation.attachments.filter(audience=key).update(told=fingerprint(one), **difference)
        Activation.objects.filter(pk=activation.pk).update(attempts=0, retry_at=None)
        DeliveryRun.objects.filter(pk=run.pk).update(
            requests=F("requests") + 1,
            added=F("added") + added,
            removed=F("removed") + len(steps) - added,
            skipped=F("skipped") + receipt.skipped,
        )
        sent.record(parcel, tried)
    return True


def renew(activation: Activation) -> None:
    """Send what is under way once more as another request: its content is not the same after an edit."""
    Parcel.objects.filter(activation=activation).update(request_id=uuid4())
