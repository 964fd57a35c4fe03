"""Messages for other systems: stored with the change they tell of, delivered at least once.

A kind of message is a function registered under a name::

    @delivery("item_notification")
    def deliver(message: Outbox) -> int | None:
        ...  # call the other system; returns the HTTP status it answered, if any

It must be safe to run twice. Returning means delivered. :class:`RetryLater` asks for another try, after
the time the other side named or by :data:`SCHEDULE_SECONDS`; any other exception does the same. A
message out of tries is parked for a person; :class:`~config.jobs.queue.GiveUp` fails it at once.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from config.http import OutgoingError
from config.jobs import lease, pace, queue
from config.jobs.kinds import (
    HOUR,
    SCHEDULE_SECONDS,
    OneByOne,
    Payload,
    RetryLater,
    delivery,
    delivery_of_many,
    kinds,
    merged,
    remains,
)
from config.jobs.models import Outbox, State
from config.jobs.queue import GiveUp

__all__ = ["SCHEDULE_SECONDS", "OneByOne", "RetryLater", "delivery", "delivery_of_many"]

logger = logging.getLogger("personalization")

JITTER = 0.1
LONGEST_WAIT_SECONDS = 24 * HOUR
# A call in the calling thread and its answer may take this long before another worker tries.
DELIVERY_LEASE = timedelta(seconds=120)

# What only a person sends again.
STOPPED = (State.FAILED, State.PARKED)


def put(kind: str, *, key: str, payload: Payload, customer_id: str = "") -> Outbox:
    """Store a message and deliver it once the surrounding transaction has committed.

    While a message of the same kind and key waits, both become one: the newest wins, unless the kind has a
    ``merge`` of its own. One whose delivery is under way is followed by the new one.
    """
    with transaction.atomic():
        waiting = _locked(kind, key)
        if waiting is None:
            row = _insert(kind, key, payload, customer_id)
        else:
            both = merged(kind, waiting.payload, payload)
            now = timezone.now()
            again = {"customer_id": customer_id, "attempts": 0, "run_after": now, "said_at": now}
            row = waiting if _replace(waiting, payload=both, **again) else None
    if row is None:  # a worker took it, or another process stored one, between two statements
        return put(kind, key=key, payload=payload, customer_id=customer_id)
    transaction.on_commit(lambda: nudge(row.pk))
    return row


def _locked(kind: str, key: str) -> Outbox | None:
    """The message that waits under this key; no worker takes it before the transaction ends."""
    return Outbox.objects.select_for_update().filter(kind=kind, key=key, state=State.QUEUED).first()


def _replace(row: Outbox, **values: Any) -> bool:
    """Change a message that still waits as it was read."""
    same = Outbox.objects.filter(pk=row.pk, state=State.QUEUED, version=row.version)
    return bool(same.update(version=F("version") + 1, **values))


def _insert(kind: str, key: str, payload: Payload, customer_id: str) -> Outbox | None:
    try:
        with transaction.atomic():
            return Outbox.objects.create(kind=kind, key=key, payload=payload, customer_id=customer_id)
    except IntegrityError:
        return None


def nudge(message_id: int) -> None:
    """Tell a worker that there is something to deliver. Losing this costs only time."""
    if settings.JOBS_INLINE:
        deliver_due()
    elif settings.REDIS_URL:
        from config.jobs.tasks import deliver_outbox, nudge_worker

        nudge_worker(deliver_outbox, what=f"message {message_id}")


def deliverable() -> QuerySet[Outbox]:
    """Messages of keys of which no other one is being delivered: so none passes one before it."""
    under_way = Outbox.objects.filter(kind=OuterRef("kind"), key=OuterRef("key"), state=State.RUNNING)
    return Outbox.objects.filter(~Exists(under_way.exclude(pk=OuterRef("pk"))))


def claim() -> Outbox | None:
    """Take the next message that is due, or one whose worker's lease has run out."""
    return lease.claim(deliverable(), lasting=DELIVERY_LEASE)


def deliver_due(*, limit: int = 100) -> int:
    """Deliver what is due, one call after the other, up to ``limit``; return how many were tried."""
    count = 0
    while count < limit and (message := claim()) is not None:
        messages = [message, *companions(message)]
        deliver([one for one in messages if is_deliverable(one)])
        count += len(messages)
    return count


def companions(message: Outbox) -> list[Outbox]:
    """Take what may go out in the same call as ``message``, which is taken already."""
    kind = kinds.get(message.kind)
    if kind is None or kind.together is None:
        return []
    alike = deliverable().filter(kind.together(message), kind=message.kind)
    return lease.claim_many(alike, kind.most - 1, lasting=DELIVERY_LEASE)


def is_deliverable(message: Outbox) -> bool:
    """Whether a claimed message shall be tried; if not it is closed with the reason."""
    if message.kind not in kinds:
        settle(message, State.FAILED, error=f"No code delivers messages of the kind {message.kind!r}.")
    elif message.attempts > len(SCHEDULE_SECONDS):
        settle(message, State.PARKED, error="Its worker died at every try.")
    else:
        return not overtaken(message)
    return False


def deliver(messages: list[Outbox]) -> None:
    """Deliver claimed messages of one kind in one call and store the outcome.

    Never raises for what the deliverer does.
    """
    if not messages:
        return
    first = messages[0]
    pace.wait(first.customer_id or first.kind)
    try:
        status = kinds[first.kind].deliver(messages)
    except OneByOne as reason:
        one_by_one(messages, reason=str(reason))
    except GiveUp as reason:
        close(messages, State.FAILED, error=str(reason))
    except RetryLater as later:
        for one in messages:
            postpone(one, seconds=later.seconds, error=str(later), tries=later.tries, status=later.status)
    except OutgoingError as error:
        for one in messages:
            postpone(one, error=str(error))
    except Exception as error:  # a deliverer may fail in any way; none may stop the worker
        logger.exception("Delivering message %s (%s) failed.", first.pk, first.kind)
        for one in messages:
            postpone(one, error=f"{type(error).__name__}: {error}")
    else:
        close(messages, State.DONE, status=status)


def one_by_one(messages: list[Outbox], *, reason: str) -> None:
    """Find out which of several messages a receiver will not have; a single one fails for it."""
    if len(messages) == 1:
        close(messages, State.FAILED, error=reason)
    else:
        for number, one in enumerate(messages):
            # Together they may take far longer than a lease lasts.
            lease.extend(messages[number:], lasting=DELIVERY_LEASE)
            if lease.mine(one).exists() and not overtaken(one):
                deliver([one])


def close(messages: list[Outbox], state: State, *, status: int | None = None, error: str = "") -> None:
    for one in messages:
        settle(one, state, status=status, error=error)


def overtaken(message: Outbox) -> bool:
    """Close the message when another one of its key waits, which then says everything."""
    waits = Outbox.objects.filter(kind=message.kind, key=message.key, state=State.QUEUED)
    return waits.exists() and give_way(message)


def give_way(message: Outbox, *, error: str = "", status: int | None = None) -> bool:
    """Close a message in favour of the one of its key that waits, which takes over what it alone said.

    False, and nothing is done, if none waits any more.
    """
    with transaction.atomic():
        waiting = _locked(message.kind, message.key)
        if waiting is None or not absorb(waiting, message):
            return False
        settle(
            message,
            State.CANCELLED,
            error=f"A newer message took its place. {error}".strip(),
            status=status,
        )
    return True


def absorb(waiting: Outbox, other: Outbox, **values: Any) -> bool:
    """Give a message that waits the news of another one of its key; False if a worker took it meanwhile.

    Beside a message under way or stopped only newer news waits, or older that it has nothing of.
    """
    both = merged(waiting.kind, other.payload, waiting.payload)
    newest = max(waiting.said_at, other.said_at)
    return _replace(waiting, payload=both, said_at=newest, **values)


def settle(message: Outbox, state: State, *, status: int | None = None, error: str = "") -> None:
    lease.mine(message).update(
        state=state,
        response_status=status,
        error=error,
        finished_at=timezone.now(),
        lease_owner="",
        lease_until=None,
    )
    if state in {State.FAILED, State.PARKED}:
        logger.error("Message %s (%s) %s: %s", message.pk, message.kind, state, error)


def postpone(
    message: Outbox,
    *,
    error: str,
    seconds: float | None = None,
    tries: int = len(SCHEDULE_SECONDS),
    status: int | None = None,
) -> None:
    """Put a message back for its next try, or park it when it is out of tries."""
    if message.attempts >= min(tries, len(SCHEDULE_SECONDS)):
        settle(
            message, State.PARKED, error=f"{message.attempts} tries failed, the last: {error}", status=status
        )
        return
    wait = pause(message.attempts) if seconds is None else min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)
    try:
        with transaction.atomic():
            lease.mine(message).update(
                state=State.QUEUED,
                response_status=status,
                error=error,
                run_after=timezone.now() + timedelta(seconds=wait),
                lease_owner="",
                lease_until=None,
            )
    except IntegrityError:  # another one came while this was under way
        if not give_way(message, error=error, status=status):
            postpone(message, error=error, seconds=seconds, tries=tries, status=status)
        return
    logger.warning("Message %s (%s) waits %.0f s: %s", message.pk, message.kind, wait, error)


def pause(attempts: int) -> float:
    """Seconds until the try after ``attempts`` tries, with jitter."""
    return SCHEDULE_SECONDS[attempts] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret


def replay(message_id: int) -> bool:
    """Try a message now, from its first try: one that waits, is parked or failed (a person asked for it).

    What newer messages of its key said is not said again; where one waits, that one takes the rest along.
    False for a message that went out or has nothing of its own to say any more.
    """
    with transaction.atomic():
        sendable = Outbox.objects.filter(pk=message_id, state__in=(State.QUEUED, *STOPPED))
        row = sendable.select_for_update().first()
        if row is None or (payload := still_to_say(row)) is None:
            return False
        row.payload = payload
        goes = row if row.state == State.QUEUED else _locked(row.kind, row.key) or row
        if not _sent_again(row, goes):
            return False
    transaction.on_commit(lambda: nudge(goes.pk))
    return True


def _sent_again(row: Outbox, goes: Outbox) -> bool:
    """Queue ``row``, or let ``goes``, which waits, take its news along."""
    now = timezone.now()
    again: dict[str, Any] = {"attempts": 0, "run_after": now}
    back = {"state": State.QUEUED, "payload": row.payload, "finished_at": None, "error": ""}
    same = Outbox.objects.filter(pk=row.pk, state=row.state)
    try:
        with transaction.atomic():
            if goes.pk == row.pk:
                return bool(same.update(**back, **again))
            if not absorb(goes, row, **again):
                return False
            reason = f"Sent again with message {goes.pk}, which waited."
            return bool(same.update(state=State.CANCELLED, finished_at=now, error=reason))
    except IntegrityError:  # another one came to wait at this moment
        return replay(row.pk)


def still_to_say(row: Outbox) -> Payload | None:
    """The payload of a stopped message without what newer ones of its key, sent or not, have said since."""
    payload: Payload | None = row.payload
    others = Outbox.objects.filter(kind=row.kind, key=row.key, said_at__gt=row.said_at)
    # One that was cancelled left what it said to another; one that waits is told by `absorb`.
    for newer in others.exclude(state__in=(State.CANCELLED, State.QUEUED)).order_by("said_at"):
        payload = payload and remains(row.kind, payload, newer.payload)
    return payload


def stopped() -> QuerySet[Outbox]:
    """Messages that only a person sends again."""
    return Outbox.objects.filter(state__in=STOPPED)


@queue.job("outbox_replay")
def replay_all(run: queue.Run) -> dict[str, Any]:
    """Send all messages again that had stopped when somebody asked for it."""
    asked = stopped().filter(finished_at__lte=run.job.created_at).order_by("pk")
    sent = 0
    for number, pk in enumerate(list(asked.values_list("pk", flat=True))):
        sent += replay(pk)
        if number % 100 == 0:
            run.progress(number)
    return {"sent": sent}
