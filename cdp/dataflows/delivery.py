"""Taking a chunk: once, whole, and to where the state of the dataflow sends it (reference `cdp.md` 1.5)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from django.db.models import F
from django.utils import timezone

from cdp.dataflows import editing, lanes, payloads, run, turns
from cdp.dataflows.models import Dataflow, Payload, Run

Kind, State, Status = Run.Kind, Run.State, Dataflow.Status
MOST_HELD_RUNS, MOST_HELD_BYTES = 50, 200 * 1024 * 1024


class Chunk(NamedTuple):
    """``run`` None: the chunk is a run of its own."""

    body: bytes
    content_type: str
    rows: int
    is_draft: bool
    run: uuid.UUID | None = None
    sequence: int = 0
    is_final: bool = False


class Receipt(NamedTuple):
    run: uuid.UUID
    state: str
    is_duplicate: bool = False


class Conflict(Exception):
    """The chunk contradicts what was delivered before; the message is a sentence."""


class Gone(Exception):
    """The dataflow was archived meanwhile."""


def take(dataflow: Dataflow, chunk: Chunk) -> Receipt:
    """Store a chunk in one transaction. Raises :class:`Conflict` and :class:`Gone`."""
    with lanes.intake(dataflow.pk):
        dataflow.refresh_from_db()
        if dataflow.status == Status.ARCHIVED:
            raise Gone
        owner = run_of(dataflow, chunk)
        digest = sha256(chunk.body).hexdigest()
        known = owner.payloads.filter(sequence=chunk.sequence).first()
        if known is not None:
            if known.sha256 != digest:
                raise Conflict(f"Chunk {chunk.sequence} of this run came before with another body.")
            return Receipt(owner.number, owner.state, is_duplicate=True)
        if owner.is_final or owner.ended_at:
            raise Conflict(f"The run is over ({owner.get_state_display()}); begin another.")
        store(owner, chunk, digest)
        settle(dataflow, owner, chunk)
    return Receipt(owner.number, owner.state)


def run_of(dataflow: Dataflow, chunk: Chunk) -> Run:
    kinds = [Kind.SAMPLE] if chunk.is_draft else [Kind.PRODUCTION, Kind.HELD]
    if chunk.run is not None:
        known = dataflow.runs.filter(number=chunk.run, kind__in=kinds).first()
        if known is not None:
            return known
    made = Run(dataflow=dataflow, number=chunk.run or uuid.uuid4(), kind=kinds[0])
    made.state = State.SAMPLE if chunk.is_draft else State.HELD
    if not chunk.is_draft and dataflow.status == Status.ACTIVE:
        made.state, made.due_at = State.QUEUED, turns.after(dataflow, timezone.now())
        made.trigger = "schedule" if made.due_at else "receive"
    made.save()
    return made


def store(owner: Run, chunk: Chunk, digest: str) -> None:
    Payload.objects.create(
        run=owner,
        sequence=chunk.sequence,
        sha256=digest,
        content_type=chunk.content_type,
        size=len(chunk.body),
        rows=chunk.rows,
        sealed=payloads.seal(chunk.body),
    )
    is_last = chunk.is_final or chunk.run is None
    Run.objects.filter(pk=owner.pk).update(
        received=F("received") + chunk.rows,
        size=F("size") + len(chunk.body),
        touched_at=timezone.now(),
        last_sequence=chunk.sequence if is_last else None,
    )
    owner.refresh_from_db()


def settle(dataflow: Dataflow, owner: Run, chunk: Chunk) -> None:
    """What follows of a chunk that is stored."""
    if owner.is_final and owner.payloads.count() <= (owner.last_sequence or 0):
        run.fail(owner, "missing_chunks", "The last chunk came while an earlier one was missing.")
    elif chunk.is_draft:
        older = dataflow.runs.filter(kind=Kind.SAMPLE, pk__lt=owner.pk)
        older.exclude(pk=dataflow.sample_id or 0).delete()
        if owner.is_final:  # by a part of it nothing can be said of its columns
            editing.sample_came(dataflow, owner)
    elif owner.state == State.HELD:
        drop_oldest_held(dataflow)
    elif turns.has_come(owner, timezone.now()):
        run.enqueue(dataflow.pk)


def drop_oldest_held(dataflow: Dataflow) -> None:
    held = list(dataflow.runs.filter(state=State.HELD).order_by("pk"))
    count, total = len(held), sum(one.size for one in held)
    for one in held:
        if count <= MOST_HELD_RUNS and total <= MOST_HELD_BYTES:
            return
        run.drop(one, "Newer data was held, and there is room for so much only.")
        count, total = count - 1, total - one.size


def recent_runs(dataflow: Dataflow) -> int:
    """Runs that began within the last minute, for the limit of requests."""
    since = timezone.now() - timedelta(minutes=1)
    return dataflow.runs.filter(started_at__gt=since).exclude(kind=Kind.TEST).count()
