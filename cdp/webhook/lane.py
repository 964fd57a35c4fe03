"""One after the other: what changes the members of segments for an activation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F

from cdp.models import Lane


@contextmanager
def passing(client_id: str) -> Iterator[None]:
    """A transaction in which no other one changes members for this activation."""
    Lane.objects.get_or_create(client_id=client_id)
    with transaction.atomic():
        Lane.objects.filter(client_id=client_id).update(passed=F("passed") + 1)
        yield
