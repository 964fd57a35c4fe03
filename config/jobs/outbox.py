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
from django.db.models import F
from django.utils import timezone

from config.http import OutgoingError
from config.jobs import lease, pace
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
            again = {"customer_id": customer_id, "attempts": 0, "run_after": timezone.now()}
            row = waiting if _replace(waiting, payload=both, **again) else None
    if row is None:  # a worker took it, or another process stored one, between two statements
        return put(kind, key=key, payload=payload, customer_id=customer_id)
    transaction.on_commit(lambda: nudge(row.pk))
    return row


def _waiting(kind: str, key: str) -> Outbox | None:
    return Outbox.objects.filter(kind=kind, key=key, state=State.QUEUED).first()


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


def claim() -> Outbox | None:
    """Take the next message that is due, or one whose worker's lease has run out."""
    return lease.claim(Outbox.objects.all(), lasting=DELIVERY_LEASE)


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
    alike = Outbox.objects.filter(kind.together(message), kind=message.kind)
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
    pace.wait(f"{first.kind} {first.customer_id}")
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
        for one in messages:
            deliver([one])


def close(messages: list[Outbox], state: State, *, status: int | None = None, error: str = "") -> None:
    for one in messages:
        settle(one, state, status=status, error=error)


def overtaken(message: Outbox) -> bool:
    """Close the message when a newer one of its key waits: that one says everything."""
    newer = Outbox.objects.filter(kind=message.kind, key=message.key, state=State.QUEUED, pk__gt=message.pk)
    if not newer.exists():
        return False
    give_way(message)
    return True


def give_way(message: Outbox, *, error: str = "", status: int | None = None) -> None:
    """Close a message in favour of a newer one of its key, which takes over what it alone said."""
    with transaction.atomic():
        newer = _locked(message.kind, message.key)
        if newer is not None and newer.pk != message.pk:
            both = merged(message.kind, message.payload, newer.payload)
            if both != newer.payload:
                _replace(newer, payload=both)
        settle(
            message,
            State.CANCELLED,
            error=f"A newer message took its place. {error}".strip(),
            status=status,
        )


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
    except IntegrityError:  # a newer one came while this was under way
        give_way(message, error=error, status=status)
        return
    logger.warning("Message %s (%s) waits %.0f s: %s", message.pk, message.kind, wait, error)


def pause(attempts: int) -> float:
    """Seconds until the try after ``attempts`` tries, with jitter."""
    return SCHEDULE_SECONDS[attempts] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret


def replay(message_id: int) -> bool:
    """Try a message now, from its first try: one that waits, is parked or failed (a person asked for it).

    False for one that went out, or whose news a newer one of its key has.
    """
    again = {"attempts": 0, "run_after": timezone.now(), "finished_at": None, "error": ""}
    row = Outbox.objects.filter(pk=message_id, state__in=(State.QUEUED, *STOPPED)).first()
    if row is None:
        return False
    try:
        with transaction.atomic():
            changed = Outbox.objects.filter(pk=row.pk, state=row.state).update(state=State.QUEUED, **again)
    except IntegrityError:  # a newer one waits
        return False
    if changed:
        transaction.on_commit(lambda: nudge(message_id))
    return bool(changed)


def replay_all() -> int:
    """Try all messages again that are parked or failed; return how many."""
    stopped = Outbox.objects.filter(state__in=STOPPED).order_by("pk")
    return sum(replay(pk) for pk in list(stopped.values_list("pk", flat=True)))
