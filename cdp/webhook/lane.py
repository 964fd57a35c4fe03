"""One after the other: the requests of an activation, and what changes members for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F

from cdp.models import Lane


@contextmanager
def arriving(client_id: str) -> Iterator[None]:
    """A transaction in which no other request of this activation is taken.

    Rows get their numbers in it, so that none appears behind one that the worker has already applied.
    """
    Lane.objects.get_or_create(client_id=client_id, way=Lane.Way.ARRIVAL)
    with transaction.atomic():
        pass_by(client_id, Lane.Way.ARRIVAL)
        yield


@contextmanager
def changing(client_id: str) -> Iterator[None]:
    """A transaction in which no other one changes members for this activation.

    Within :func:`arriving` it lasts until that one ends; the other way round two would wait for each other.
    """
    Lane.objects.get_or_create(client_id=client_id, way=Lane.Way.CHANGE)
    with transaction.atomic():
        pass_by(client_id, Lane.Way.CHANGE)
        yield


def pass_by(client_id: str, way: Lane.Way) -> None:
    """Hold the row until the transaction ends."""
    Lane.objects.filter(client_id=client_id, way=way).update(passed=F("passed") + 1)
