"""How fast messages go to one receiver, so that it can breathe after an outage."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.jobs.models import Receiver

PER_SECOND = 10  # calls to one receiver in any second, by all workers


def wait(receiver: str) -> None:
    """Return when one more call to ``receiver`` keeps to the pace; the next may follow 0.1 s later."""
    if (seconds := reserve(receiver)) > 0:
        time.sleep(seconds)


def reserve(receiver: str) -> float:
    """Take the next free moment of a receiver and return the seconds until it comes."""
    name = receiver[:128]
    while True:
        now = timezone.now()
        known = Receiver.objects.filter(name=name).values_list("free_at", flat=True).first()
        # A moment far away comes from a clock that was wrong.
        moment = now if known is None or known > now + timedelta(minutes=1) else max(now, known)
        if _taken(name, before=known, after=moment + timedelta(seconds=1 / PER_SECOND)):
            return (moment - now).total_seconds()


def _taken(name: str, *, before: datetime | None, after: datetime) -> bool:
    """Whether no other worker took the same moment first."""
    if before is not None:
        return bool(Receiver.objects.filter(name=name, free_at=before).update(free_at=after))
    try:
        with transaction.atomic():
            Receiver.objects.create(name=name, free_at=after)
    except IntegrityError:
        return False
    return True
