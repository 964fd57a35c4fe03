"""One after the other: the requests of an activation, and what changes members for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import transaction
from django.db.models import F

from cdp.models import Lane


def arriving(client_id: str) -> AbstractContextManager[None]:
    """A transaction in which no other request of this activation is taken.

    Rows get their numbers in it, so that none appears behind one that the worker has already applied.
    """
    return passing(client_id, way=Lane.Way.ARRIVAL)


def changing(client_id: str) -> AbstractContextManager[None]:
    """A transaction in which no other one changes members for this activation.

    Within :func:`arriving` it lasts until that one ends; the other way round two would wait for each other.
    """
    return passing(client_id, way=Lane.Way.CHANGE)


@contextmanager
def passing(client_id: str, *, way: Lane.Way = Lane.Way.CHANGE) -> Iterator[None]:
    """A transaction that holds a row nobody else holds."""
    Lane.objects.get_or_create(client_id=client_id, way=way)
    with transaction.atomic():
        Lane.objects.filter(client_id=client_id, way=way).update(passed=F("passed") + 1)
        yield
